// One row of pixels of a depthwise convolution; part of kernels.cpp, whose vectors and helpers it uses.

// `M` pixels of one vector of channels: a weight is read once for all of them.
template <int M, typename Access>
HB_INLINE void depthwise_pixels(const Depthwise& t, ptrdiff_t x, ptrdiff_t k, int count) {
  Vec sum[M] = {};
  for (ptrdiff_t i = 0; i < t.count; ++i) {
    const Vec w = Access::get(t.weights[i] + k, count);
    const float* a = t.taps[i] + x * t.a_px + k;
#pragma GCC unroll 8
    for (int m = 0; m < M; ++m) sum[m] += Access::get(a + m * t.a_px, count) * w;
  }
#pragma GCC unroll 8
  for (int m = 0; m < M; ++m) Access::put(t.c + (x + m) * t.c_px + k, sum[m], count);
}

template <typename Access>
HB_INLINE void depthwise_vector(const Depthwise& t, ptrdiff_t k, int count) {
  ptrdiff_t x = 0;
  for (; x + 8 <= t.pixels; x += 8) depthwise_pixels<8, Access>(t, x, k, count);
  for (; x + 2 <= t.pixels; x += 2) depthwise_pixels<2, Access>(t, x, k, count);
  for (; x < t.pixels; ++x) depthwise_pixels<1, Access>(t, x, k, count);
}

void depthwise(const Depthwise& t) {
  ptrdiff_t k = 0;
  for (; k + W <= t.channels; k += W) depthwise_vector<Whole>(t, k, W);
  if (k < t.channels) depthwise_vector<Part>(t, k, static_cast<int>(t.channels - k));
}

template <typename Access>
HB_INLINE void depthwise_grad_vector(const DepthwiseGrad& t, ptrdiff_t k, int count) {
  Vec sum[4] = {};
  ptrdiff_t x = 0;
  for (; x + 4 <= t.pixels; x += 4)
#pragma GCC unroll 4
    for (int m = 0; m < 4; ++m)
      sum[m] += Access::get(t.a + (x + m) * t.a_px + k, count) * Access::get(t.b + (x + m) * t.channels + k, count);
  for (; x < t.pixels; ++x) sum[0] += Access::get(t.a + x * t.a_px + k, count) * Access::get(t.b + x * t.channels + k, count);
  Access::put(t.c + k, Access::get(t.c + k, count) + ((sum[0] + sum[1]) + (sum[2] + sum[3])), count);
}

void depthwise_grad(const DepthwiseGrad& t) {
  ptrdiff_t k = 0;
  for (; k + W <= t.channels; k += W) depthwise_grad_vector<Whole>(t, k, W);
  if (k < t.channels) depthwise_grad_vector<Part>(t, k, static_cast<int>(t.channels - k));
}
