// What is left of a gradient behind a relu, and its sums over all pixels.
#include <algorithm>
#include <cstdint>

#include "product.h"
#include "tasks.h"

namespace hornbill {
namespace {

// Numbers and pixels that are summed in one go: few, for small errors, and as many on any number of threads. The sums of
// these are added in double precision.
constexpr i64 kNumbers = 8 << 10, kPixels = 256;

}  // namespace

std::string relu_grad(const Kernels& k, const Threads& threads, i64 pixels, i64 channels, const Half* gradient,
                      const Half* outputs, Half* result, Half* bias) {
  if (pixels < 0 || channels < 0) return "a size is negative";
  if (channels == 0) return "";
  if (!bias || (pixels > 0 && (!gradient || !outputs || !result))) return "an array has no memory";
  const Pieces pieces(pixels, std::clamp<i64>(kNumbers / channels, 1, kPixels));
  CallMemory whole;
  float* sums = whole.room(pieces.count * channels);
  parallel(threads, pieces.count, [&](i64 i) {
    const i64 first = pieces.start(i), at = first * channels;
    float* mine = sums + i * channels;
    std::fill(mine, mine + channels, 0.0f);
    k.relu_grad({gradient + at, outputs + at, result + at, mine, pieces.start(i + 1) - first, channels});
  });
  for (i64 c = 0; c < channels; ++c) {
    double total = 0;
    for (i64 i = 0; i < pieces.count; ++i) total += static_cast<double>(sums[i * channels + c]);
    sums[c] = static_cast<float>(total);
  }
  k.narrow(sums, bias, channels);
  return "";
}

}  // namespace hornbill
