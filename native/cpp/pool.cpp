// Max-pool and its gradient: rows of windows as tasks, windows at the edges by themselves.
#include <algorithm>
#include <cstring>
#include <vector>

#include "checks.h"
#include "tasks.h"

namespace hornbill {
namespace {

using i64 = int64_t;

constexpr double kSmallWork = 100e3;  // cells read that are not worth a second thread

// The kernels by type.
void pool(const Kernels& k, const PoolOf<float>& t) { k.pool(t); }
void pool(const Kernels& k, const PoolOf<Half>& t) { k.half_pool(t); }
void pool_grad(const Kernels& k, const PoolGradOf<float>& t) { k.pool_grad(t); }
void pool_grad(const Kernels& k, const PoolGradOf<Half>& t) { k.half_pool_grad(t); }

template <typename T>
struct Pooling {
  Window v;
  i64 pool_h, pool_w;
  ArrayOf<T> in, out;

  std::string wrong(const void* place, bool places) const {
    if (pool_h < 1 || pool_w < 1 || pool_h > 256 || pool_w > 256 || pool_h * pool_w > 256)
      return "a window must have 1 to 256 cells";
    if (v.dilation_h != 1 || v.dilation_w != 1 || v.groups != 1) return "pooling has no dilation and no groups";
    if (places && !place && out.size[0] * out.size[1] * out.size[2] * out.size[3] > 0) return "places have no memory";
    if (in.size[3] != out.size[3]) return "channels differ";
    T none = 0;
    const ArrayOf<T> kernel = {&none, {pool_h, pool_w, in.size[3], out.size[3]}};
    return check(v, in, kernel, out);
  }
  double work() const { return 1.0 * out.size[0] * out.size[1] * out.size[2] * out.size[3] * pool_h * pool_w; }

  // Calls `run(first window, count, taps, numbers)` for row `y` of the windows of an image: as many windows at once as
  // have all their columns inside. `base` is the image.
  template <typename Pointer, typename Run>
  void row(Pointer base, i64 y, const Run& run) const {
    const i64 width = in.size[2], windows = out.size[2], channels = in.size[3];
    const i64 iy = y * v.stride_h - v.top;
    const i64 i0 = std::max<i64>(0, -iy), i1 = std::min(pool_h, in.size[1] - iy);
    Pointer taps[256];
    uint8_t numbers[256];
    const auto some = [&](i64 x, i64 count) {
      const i64 ix = x * v.stride_w - v.left;
      const i64 j0 = std::max<i64>(0, -ix), j1 = std::min(pool_w, width - ix);
      i64 cells = 0;
      for (i64 i = i0; i < i1; ++i)
        for (i64 j = j0; j < j1; ++j, ++cells) {
          taps[cells] = base + ((iy + i) * width + ix + j) * channels;
          numbers[cells] = static_cast<uint8_t>(i * pool_w + j);
        }
      run(x, count, taps, numbers, cells);
    };
    const i64 first = std::min(windows, (v.left + v.stride_w - 1) / v.stride_w);
    const i64 room = width + v.left - pool_w;
    const i64 last = room < 0 ? first : std::clamp(room / v.stride_w + 1, first, windows);
    for (i64 x = 0; x < first; ++x) some(x, 1);
    if (last > first) some(first, last - first);
    for (i64 x = last; x < windows; ++x) some(x, 1);
  }
};

}  // namespace

template <typename T>
std::string max_pool(const Kernels& k, const Threads& threads, const Window& v, i64 pool_h, i64 pool_w, ArrayOf<T> in,
                     ArrayOf<T> out, uint8_t* place) {
  const Pooling<T> p = {v, pool_h, pool_w, in, out};
  const std::string wrong = p.wrong(place, false);
  if (!wrong.empty() || p.work() == 0) return wrong;
  const i64 channels = in.size[3], image = in.size[1] * in.size[2] * channels, line = out.size[2] * channels;
  const i64 rows = out.size[0] * out.size[1];
  Threads used = threads;
  if (p.work() < kSmallWork) used.count = 1;
  const i64 tasks = std::min<i64>(rows, 4 * used.count);
  parallel(used, tasks, [&](i64 task) {
    for (i64 r = rows * task / tasks; r < rows * (task + 1) / tasks; ++r) {
      const T* base = in.data + r / out.size[1] * image;
      p.row(base, r % out.size[1], [&](i64 x, i64 count, const T** taps, const uint8_t* numbers, i64 cells) {
        const i64 at = r * line + x * channels;
        pool(k, PoolOf<T>{taps, numbers, cells, v.stride_w * channels, out.data + at, place ? place + at : nullptr, count,
                          channels});
      });
    }
  });
  return "";
}

template <typename T>
std::string max_pool_grad(const Kernels& k, const Threads& threads, const Window& v, i64 pool_h, i64 pool_w,
                          ArrayOf<T> out, const uint8_t* place, ArrayOf<T> in) {
  const Pooling<T> p = {v, pool_h, pool_w, in, out};
  const std::string wrong = p.wrong(place, true);
  if (!wrong.empty()) return wrong;
  const i64 channels = in.size[3], row = in.size[2] * channels, line = out.size[2] * channels;
  const i64 height = in.size[1], windows = out.size[1];
  // Windows that share no rows are independent; others are done image by image.
  const bool apart = v.stride_h >= pool_h && windows > 0;
  const i64 parts = apart ? windows : 1;
  // Windows side by side over all of the image leave no cell to clear.
  const bool fresh = v.stride_h == pool_h && v.stride_w == pool_w && v.top == 0 && v.left == 0 &&
                     height == windows * pool_h && in.size[2] == out.size[2] * pool_w;
  Threads used = threads;
  if (p.work() < kSmallWork) used.count = 1;
  const auto one_row = [&](i64 n, i64 y) {
    T* base = in.data + n * height * row;
    p.row(base, y, [&](i64 x, i64 count, T** taps, const uint8_t* numbers, i64 cells) {
      const i64 at = (n * windows + y) * line + x * channels;
      pool_grad(k, PoolGradOf<T>{taps, numbers, cells, v.stride_w * channels, out.data + at, place + at, count, channels,
                                 fresh});
    });
  };
  const i64 units = in.size[0] * parts, tasks = std::min<i64>(units, 4 * used.count);
  parallel(used, tasks, [&](i64 task) {
    for (i64 u = units * task / tasks; u < units * (task + 1) / tasks; ++u) {
      const i64 n = u / parts, y = u % parts;
      // Each part clears the rows from its first to the next part's first.
      const i64 from = y == 0 ? 0 : std::clamp<i64>(y * v.stride_h - v.top, 0, height);
      const i64 to = y + 1 == parts ? height : std::clamp<i64>((y + 1) * v.stride_h - v.top, 0, height);
      if (to > from && !fresh)
        std::memset(in.data + (n * height + from) * row, 0, static_cast<size_t>((to - from) * row) * sizeof(T));
      if (apart)
        one_row(n, y);
      else
        for (i64 each = 0; each < windows; ++each) one_row(n, each);
    }
  });
  return "";
}

#define HB_POOLS(T)                                                                                              \
  template std::string max_pool(const Kernels&, const Threads&, const Window&, i64, i64, ArrayOf<T>, ArrayOf<T>, \
                                uint8_t*);                                                                       \
  template std::string max_pool_grad(const Kernels&, const Threads&, const Window&, i64, i64, ArrayOf<T>,        \
                                     const uint8_t*, ArrayOf<T>);
HB_POOLS(float)
HB_POOLS(Half)

}  // namespace hornbill
