// Convolution, its gradients and max-pool over whole arrays in memory: checks, cutting into tasks, packing.
//
// Free of XLA, so that the tests can run it under sanitizers. A call returns an empty string, or what is wrong with it.
#pragma once

#include <cstdint>
#include <functional>
#include <string>

#include "kernels.h"

namespace hornbill {

// Threads that somebody else owns. `schedule` runs a function soon on one of them, or at once.
struct Threads {
  int count = 1;  // the caller's included
  std::function<void(std::function<void()>)> schedule;
};

// The sliding window: steps, distance between the cells it reads, cells of zeros before the first row and column.
struct Window {
  int64_t stride_h = 1, stride_w = 1, dilation_h = 1, dilation_w = 1, top = 0, left = 0, groups = 1;
};

// A dense array of four axes; T is float or Half.
template <typename T>
struct ArrayOf {
  T* data;
  int64_t size[4];
};
using Array = ArrayOf<float>;
using HalfArray = ArrayOf<Half>;

// out (n, y, x, f) = sum in (n, y', x', c) * kernel (i, j, c, f); then + bias (f) and the activation.
std::string conv(const Kernels&, const Threads&, const Window&, Array in, Array kernel, const float* bias,
                 int activation, Array out);

// The gradient by `in` of the same, from that of `out`: the transposed convolution.
std::string conv_input_grad(const Kernels&, const Threads&, const Window&, Array out, Array kernel, Array in);

// The gradient by `kernel`.
std::string conv_weight_grad(const Kernels&, const Threads&, const Window&, Array in, Array out, Array kernel);

// The same three in bfloat16: sums of products in float32, rounded once.
std::string conv(const Kernels&, const Threads&, const Window&, HalfArray in, HalfArray kernel, const Half* bias,
                 int activation, HalfArray out);
std::string conv_input_grad(const Kernels&, const Threads&, const Window&, HalfArray out, HalfArray kernel, HalfArray in);
std::string conv_weight_grad(const Kernels&, const Threads&, const Window&, HalfArray in, HalfArray out,
                             HalfArray kernel);

// From the gradient by outputs of `conv` with bias and relu, and from these outputs: that by the sums before the relu, and
// by the bias, in bfloat16. All have `channels` numbers per pixel.
std::string relu_grad(const Kernels&, const Threads&, int64_t pixels, int64_t channels, const Half* gradient,
                      const Half* outputs, Half* result, Half* bias);

// The largest cell of each window of `pool_h` x `pool_w` cells, channel by channel (dilations and groups are 1), and where
// `place` is not null the number of the first such cell in row-major order. Cells of padding do not count.
template <typename T>
std::string max_pool(const Kernels&, const Threads&, const Window&, int64_t pool_h, int64_t pool_w, ArrayOf<T> in,
                     ArrayOf<T> out, uint8_t* place);

// The gradient by `in`, from that of `out` and the places.
template <typename T>
std::string max_pool_grad(const Kernels&, const Threads&, const Window&, int64_t pool_h, int64_t pool_w, ArrayOf<T> out,
                          const uint8_t* place, ArrayOf<T> in);

// The best kernels that this processor runs; HORNBILL_NATIVE_ISA=avx512, avx2 or baseline asks for lesser ones. "amx" is
// avx512 with tiles for bfloat16.
const Kernels& best_kernels();
// By name; null if this processor or this build has none of that name.
const Kernels* kernels_named(const std::string& name);

}  // namespace hornbill
