#include "depthwise.h"

#include <algorithm>
#include <vector>

#include "checks.h"
#include "product.h"
#include "tasks.h"

namespace hornbill {
namespace {

constexpr double kSmallWork = 200e3;   // multiply-adds that are not worth a second thread
constexpr i64 kGradFloats = 16 << 10;  // of the output's gradient that are summed up before the next vector of channels

// What is wrong with the arrays; the kernel is (high, wide, channels, 1).
std::string wrong_with(const Window& v, const Array& in, const Array& kernel, const Array& out) {
  if (v.groups != 1) return "every channel is a group already";
  if (kernel.size[2] != in.size[3] || kernel.size[3] != 1) return "the kernel must have one filter for each channel";
  const Array turned = {kernel.data, {kernel.size[0], kernel.size[1], in.size[3], out.size[3]}};
  if (out.size[3] != in.size[3]) return "channels differ";
  return check_input_grad(v, in, turned, out);
}

double work_of(const Array& kernel, const Array& out) {
  return 1.0 * out.size[0] * out.size[1] * out.size[2] * out.size[3] * kernel.size[0] * kernel.size[1];
}

// Targets from `begin` to `end`, which read the cells from `first` to `last`; the other cells lie outside the source.
struct Span {
  i64 begin, end, first, last;
};

// One axis of a sum over kernel cells: target `x` reads source `start + x * step + j * apart` through cell `j` of `cells`,
// which is the kernel's cell `cell + j * every`.
struct Axis {
  i64 count, size, cells, cell, every, start, step, apart;
  std::vector<Span> spans;

  Axis(i64 count, i64 size, i64 cells, i64 cell, i64 every, i64 start, i64 step, i64 apart)
      : count(count), size(size), cells(cells), cell(cell), every(every), start(start), step(step), apart(apart) {
    for (i64 x = 0; x < count; ++x) {
      const Span one = inside(x);
      if (!spans.empty() && spans.back().first == one.first && spans.back().last == one.last)
        spans.back().end = x + 1;
      else
        spans.push_back(one);
    }
  }
  Span inside(i64 x) const {
    const i64 at = start + x * step, away = std::abs(apart);
    // Cells before and up to the end of the source, counted from the side where their sources begin.
    const i64 before = apart > 0 ? -at : at - size + 1, room = apart > 0 ? size - 1 - at : at;
    const i64 first = before > 0 ? ceil_div(before, away) : 0, last = room < 0 ? 0 : std::min(cells, room / away + 1);
    return first < last ? Span{x, x + 1, first, last} : Span{x, x + 1, 0, 0};
  }
  i64 source(i64 x, i64 j) const { return start + x * step + j * apart; }
};

Axis forward_axis(i64 count, i64 size, i64 cells, i64 stride, i64 dilation, i64 padding) {
  return {count, size, cells, 0, 1, -padding, stride, dilation};
}

// The gradient by the inputs `phase`, `phase + stride`, ...: each is a sum over every `stride`-th cell.
std::vector<Axis> gradient_axes(i64 count, i64 size, i64 cells, i64 stride, i64 dilation, i64 padding) {
  std::vector<Axis> axes;
  for (i64 phase = 0; phase < stride; ++phase) {
    const i64 some = phase < count ? (count - phase - 1) / stride + 1 : 0;
    const i64 cell = (phase + padding) % stride;
    if (stride == 1)
      axes.push_back({some, size, cells, 0, 1, padding, 1, -dilation});
    else  // without dilation
      axes.push_back({some, size, cell < cells ? (cells - cell - 1) / stride + 1 : 0, cell, stride,
                      (phase + padding - cell) / stride, 1, -1});
  }
  return axes;
}

// The kernel cells that some targets read, and the sources of the first target.
struct Taps {
  std::vector<const float*> sources;
  std::vector<float*> cells;

  // For rows of `line` floats.
  void find(const Axis& rows, const Axis& columns, const Span& high, const Span& wide, const float* source, i64 line,
            float* kernel, i64 kernel_line, i64 channels) {
    sources.clear(), cells.clear();
    for (i64 i = high.first; i < high.last; ++i) {
      const float* row = source + rows.source(high.begin, i) * line;
      float* kernel_row = kernel + (rows.cell + i * rows.every) * kernel_line;
      for (i64 j = wide.first; j < wide.last; ++j) {
        sources.push_back(row + columns.source(wide.begin, j) * channels);
        cells.push_back(kernel_row + (columns.cell + j * columns.every) * channels);
      }
    }
  }
};

// Fills the target with sums over the kernel's cells. Its rows are those of several axes by turns, so are its columns.
void run(const Kernels& k, Threads threads, const Array& source, const Array& kernel, const Array& target,
         const std::vector<Axis>& rows, const std::vector<Axis>& columns) {
  const i64 channels = source.size[3], line = source.size[2] * channels, target_line = target.size[2] * channels;
  const i64 high = static_cast<i64>(rows.size()), wide = static_cast<i64>(columns.size());
  const i64 all = target.size[0] * target.size[1], tasks = std::min<i64>(all, 8 * threads.count);
  parallel(threads, tasks, [&](i64 task) {
    Taps taps;
    for (i64 row = all * task / tasks; row < all * (task + 1) / tasks; ++row) {
      const i64 image = row / target.size[1], y = row % target.size[1];
      const Axis& down = rows[static_cast<size_t>(y % high)];
      const Span here = down.inside(y / high);
      for (i64 phase = 0; phase < wide; ++phase) {
        const Axis& across = columns[static_cast<size_t>(phase)];
        for (const Span& span : across.spans) {
          taps.find(down, across, here, span, source.data + image * source.size[1] * line, line, kernel.data,
                    kernel.size[1] * channels, channels);
          k.depthwise({taps.sources.data(), taps.cells.data(), static_cast<ptrdiff_t>(taps.cells.size()),
                       across.step * channels, target.data + row * target_line + (span.begin * wide + phase) * channels,
                       wide * channels, span.end - span.begin, channels});
        }
      }
    }
  });
}

}  // namespace

std::string depthwise(const Kernels& k, Threads threads, const Window& v, Array in, Array kernel, Array out) {
  const std::string wrong = wrong_with(v, in, kernel, out);
  if (!wrong.empty() || work_of(kernel, out) == 0) return wrong;
  if (work_of(kernel, out) < kSmallWork) threads.count = 1;
  run(k, threads, in, kernel, out,
      {forward_axis(out.size[1], in.size[1], kernel.size[0], v.stride_h, v.dilation_h, v.top)},
      {forward_axis(out.size[2], in.size[2], kernel.size[1], v.stride_w, v.dilation_w, v.left)});
  return "";
}

std::string depthwise_input_grad(const Kernels& k, Threads threads, const Window& v, Array out, Array kernel, Array in) {
  const std::string wrong = wrong_with(v, in, kernel, out);
  if (!wrong.empty() || in.size[0] * in.size[1] * in.size[2] * in.size[3] == 0) return wrong;
  if (work_of(kernel, out) < kSmallWork) threads.count = 1;
  run(k, threads, out, kernel, in,
      gradient_axes(in.size[1], out.size[1], kernel.size[0], v.stride_h, v.dilation_h, v.top),
      gradient_axes(in.size[2], out.size[2], kernel.size[1], v.stride_w, v.dilation_w, v.left));
  return "";
}

std::string depthwise_weight_grad(const Kernels& k, Threads threads, const Window& v, Array in, Array out, Array kernel) {
  const std::string wrong = wrong_with(v, in, kernel, out);
  const i64 channels = in.size[3], line = in.size[2] * channels, size = kernel.size[0] * kernel.size[1] * channels;
  if (!wrong.empty() || size == 0) return wrong;
  if (work_of(kernel, out) < kSmallWork) threads.count = 1;
  const Axis down = forward_axis(out.size[1], in.size[1], kernel.size[0], v.stride_h, v.dilation_h, v.top);
  const Axis across = forward_axis(out.size[2], in.size[2], kernel.size[1], v.stride_w, v.dilation_w, v.left);
  // Each task sums some rows; the sums are added in order, so that a call gives the same numbers every time.
  const i64 high = out.size[1], out_line = out.size[2] * channels;
  const i64 rows = out.size[0] * high, parts = std::max<i64>(1, std::min<i64>(rows, 2 * threads.count));
  const i64 most = std::max<i64>(1, kGradFloats / std::max<i64>(1, out_line));
  CallMemory whole;
  float* sums = whole.room(parts * size);
  parallel(threads, parts, [&](i64 part) {
    float* mine = sums + part * size;
    std::fill(mine, mine + size, 0.0f);
    Taps taps;
    const i64 end = rows * (part + 1) / parts;
    for (i64 row = rows * part / parts, next; row < end; row = next) {
      const i64 image = row / high, y = row % high;
      Span block = down.inside(y);
      const auto span = std::find_if(down.spans.begin(), down.spans.end(), [&](const Span& s) { return y < s.end; });
      block.end = std::min({span->end, y + most, y + end - row});
      next = row + block.end - y;
      for (const Span& wide : across.spans) {
        taps.find(down, across, block, wide, in.data + image * in.size[1] * line, line, mine, kernel.size[1] * channels,
                  channels);
        k.depthwise_grad({taps.sources.data(), taps.cells.data(), static_cast<ptrdiff_t>(taps.cells.size()),
                          v.stride_w * channels, v.stride_h * line, out.data + row * out_line + wide.begin * channels,
                          out_line, block.end - y, wide.end - wide.begin, channels});
      }
    }
  });
  std::copy_n(sums, size, kernel.data);
  for (i64 part = 1; part < parts; ++part)
    for (i64 i = 0; i < size; ++i) kernel.data[i] += sums[part * size + i];
  return "";
}

}  // namespace hornbill
