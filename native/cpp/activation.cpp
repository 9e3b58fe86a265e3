// What is left of a gradient behind a relu, and its sums over all pixels.
#include <algorithm>
#include <cstdint>

#include "product.h"
#include "tasks.h"

namespace hornbill {
namespace {

constexpr i64 kNumbers = 32 << 10;  // of a task; fixed, so that the sums do not depend on the number of threads

void run(const Kernels& k, const ReluGradOf<float>& t) { k.relu_grad(t); }
void run(const Kernels& k, const ReluGradOf<Half>& t) { k.half_relu_grad(t); }
void round_sums(const Kernels&, const float* sums, float* to, i64 count) { std::copy(sums, sums + count, to); }
void round_sums(const Kernels& k, const float* sums, Half* to, i64 count) { k.narrow(sums, to, count); }

}  // namespace

template <typename T>
std::string relu_grad(const Kernels& k, const Threads& threads, i64 pixels, i64 channels, const T* gradient,
                      const T* outputs, T* result, T* bias) {
  if (pixels < 0 || channels < 0) return "a size is negative";
  if (channels == 0) return "";
  if (!bias || (pixels > 0 && (!gradient || !outputs || !result))) return "an array has no memory";
  const Pieces pieces(pixels, std::max<i64>(1, kNumbers / channels));
  CallMemory whole;
  float* sums = whole.room(pieces.count * channels);
  parallel(threads, pieces.count, [&](i64 i) {
    const i64 first = pieces.start(i), at = first * channels;
    float* mine = sums + i * channels;
    std::fill(mine, mine + channels, 0.0f);
    run(k, ReluGradOf<T>{gradient + at, outputs + at, result + at, mine, pieces.start(i + 1) - first, channels});
  });
  for (i64 i = 1; i < pieces.count; ++i)
    for (i64 c = 0; c < channels; ++c) sums[c] += sums[i * channels + c];
  round_sums(k, sums, bias, channels);
  return "";
}

#define HB_RELU(T) \
  template std::string relu_grad(const Kernels&, const Threads&, i64, i64, const T*, const T*, T*, T*);
HB_RELU(float)
HB_RELU(Half)

}  // namespace hornbill
