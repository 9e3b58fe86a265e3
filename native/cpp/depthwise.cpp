#include "depthwise.h"

#include <algorithm>
#include <vector>

#include "checks.h"
#include "product.h"
#include "tasks.h"

namespace hornbill {
namespace {

constexpr double kSmallWork = 200e3;  // multiply-adds that are not worth a second thread

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

// One kernel cell over a run of pixels: the source's cell under the first of them, in pixels, may lie outside.
struct Tap {
  const float* row;
  i64 first;
  const float* weights;
};

// Computes pixels `0` to `count`, `c_px` floats apart, as sums over the taps, whose sources move by `step` pixels of `width`.
// Pixels that miss a tap are computed one by one.
void run(const Kernels& k, const std::vector<Tap>& taps, i64 step, i64 width, i64 channels, float* c, i64 c_px, i64 count) {
  thread_local std::vector<const float*> sources, weights;
  const auto some = [&](i64 begin, i64 end) {
    sources.clear(), weights.clear();
    for (const Tap& tap : taps) {
      const i64 at = tap.first + begin * step;
      if (end - begin == 1 && (at < 0 || at >= width)) continue;
      sources.push_back(tap.row + at * channels), weights.push_back(tap.weights);
    }
    k.depthwise({sources.data(), weights.data(), static_cast<ptrdiff_t>(sources.size()), step * channels,
                 c + begin * c_px, c_px, end - begin, channels});
  };
  i64 begin = 0, end = count;
  for (const Tap& tap : taps) {
    if (tap.first < 0) begin = std::max(begin, ceil_div(-tap.first, step));
    end = std::min(end, tap.first >= width ? 0 : (width - 1 - tap.first) / step + 1);
  }
  begin = std::min(begin, count), end = std::max(begin, end);
  for (i64 x = 0; x < begin; ++x) some(x, x + 1);
  if (end > begin) some(begin, end);
  for (i64 x = end; x < count; ++x) some(x, x + 1);
}

}  // namespace

std::string depthwise(const Kernels& k, Threads threads, const Window& v, Array in, Array kernel, Array out) {
  const std::string wrong = wrong_with(v, in, kernel, out);
  if (!wrong.empty() || work_of(kernel, out) == 0) return wrong;
  if (work_of(kernel, out) < kSmallWork) threads.count = 1;
  const i64 channels = in.size[3], line = in.size[2] * channels;
  parallel(threads, out.size[0] * out.size[1], [&](i64 row) {
    const i64 image = row / out.size[1], y = row % out.size[1];
    std::vector<Tap> taps;
    for (i64 i = 0; i < kernel.size[0]; ++i) {
      const i64 from = y * v.stride_h + i * v.dilation_h - v.top;
      if (from < 0 || from >= in.size[1]) continue;
      for (i64 j = 0; j < kernel.size[1]; ++j)
        taps.push_back({in.data + (image * in.size[1] + from) * line, j * v.dilation_w - v.left,
                        kernel.data + (i * kernel.size[1] + j) * channels});
    }
    run(k, taps, v.stride_w, in.size[2], channels, out.data + row * out.size[2] * channels, channels, out.size[2]);
  });
  return "";
}

std::string depthwise_input_grad(const Kernels& k, Threads threads, const Window& v, Array out, Array kernel, Array in) {
  const std::string wrong = wrong_with(v, in, kernel, out);
  const i64 channels = in.size[3], line = out.size[2] * channels, width = in.size[2];
  if (!wrong.empty() || in.size[0] * in.size[1] * width * channels == 0) return wrong;
  if (work_of(kernel, out) < kSmallWork) threads.count = 1;
  parallel(threads, in.size[0] * in.size[1], [&](i64 row) {
    const i64 image = row / in.size[1], y = row % in.size[1];
    float* to = in.data + row * width * channels;
    std::vector<Tap> taps;
    for (i64 phase = 0; phase < std::min(v.stride_w, width); ++phase) {
      taps.clear();
      for (i64 i = 0; i < kernel.size[0]; ++i) {
        const i64 at = y + v.top - i * v.dilation_h, from = at / v.stride_h;
        if (at < 0 || at % v.stride_h || from >= out.size[1]) continue;
        for (i64 j = 0; j < kernel.size[1]; ++j) {
          const i64 first = phase + v.left - j * v.dilation_w;
          if (((first % v.stride_w) + v.stride_w) % v.stride_w) continue;
          taps.push_back({out.data + (image * out.size[1] + from) * line, first / v.stride_w,
                          kernel.data + (i * kernel.size[1] + j) * channels});
        }
      }
      run(k, taps, 1, out.size[2], channels, to + phase * channels, v.stride_w * channels,
          (width - phase - 1) / v.stride_w + 1);
    }
  });
  return "";
}

std::string depthwise_weight_grad(const Kernels& k, Threads threads, const Window& v, Array in, Array out, Array kernel) {
  const std::string wrong = wrong_with(v, in, kernel, out);
  const i64 channels = in.size[3], line = in.size[2] * channels, size = kernel.size[0] * kernel.size[1] * channels;
  if (!wrong.empty() || size == 0) return wrong;
  if (work_of(kernel, out) < kSmallWork) threads.count = 1;
  // Each task sums some rows; the sums are added in order, so that a call gives the same numbers every time.
  const i64 rows = out.size[0] * out.size[1], parts = std::max<i64>(1, std::min<i64>(rows, 2 * threads.count));
  CallMemory whole;
  float* sums = whole.room(parts * size);
  parallel(threads, parts, [&](i64 part) {
    float* mine = sums + part * size;
    std::fill(mine, mine + size, 0.0f);
    for (i64 row = rows * part / parts; row < rows * (part + 1) / parts; ++row) {
      const i64 image = row / out.size[1], y = row % out.size[1];
      for (i64 i = 0; i < kernel.size[0]; ++i) {
        const i64 from = y * v.stride_h + i * v.dilation_h - v.top;
        if (from < 0 || from >= in.size[1]) continue;
        for (i64 j = 0; j < kernel.size[1]; ++j) {
          const i64 first = j * v.dilation_w - v.left;
          const i64 begin = first < 0 ? ceil_div(-first, v.stride_w) : 0;
          const i64 end = first >= in.size[2] ? 0 : std::min(out.size[2], (in.size[2] - 1 - first) / v.stride_w + 1);
          if (begin >= end) continue;
          k.depthwise_grad({in.data + (image * in.size[1] + from) * line + (first + begin * v.stride_w) * channels,
                            v.stride_w * channels, out.data + (row * out.size[2] + begin) * channels,
                            mine + (i * kernel.size[1] + j) * channels, end - begin, channels});
        }
      }
    }
  });
  std::copy_n(sums, size, kernel.data);
  for (i64 part = 1; part < parts; ++part)
    for (i64 i = 0; i < size; ++i) kernel.data[i] += sums[part * size + i];
  return "";
}

}  // namespace hornbill
