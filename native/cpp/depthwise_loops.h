// Rows of pixels of a depthwise convolution; part of kernels.cpp, whose vectors and helpers it uses.

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

// All channels of `M` pixels, as they stand in memory; the last vector begins where it fits and may repeat some.
template <int M>
void depthwise_block(const Depthwise& t, ptrdiff_t x) {
  if (t.channels < W) return depthwise_pixels<M, Part>(t, x, 0, static_cast<int>(t.channels));
  const ptrdiff_t last = t.channels - W;
  for (ptrdiff_t k = 0; k < t.channels; k += W) depthwise_pixels<M, Whole>(t, x, k < last ? k : last, W);
}

void depthwise(const Depthwise& t) {
  if (t.pixels >= 8) {
    for (ptrdiff_t x = 0; x < t.pixels; x += 8) depthwise_block<8>(t, x + 8 <= t.pixels ? x : t.pixels - 8);
  } else if (t.pixels >= 4) {
    depthwise_block<4>(t, 0);
    if (t.pixels > 4) depthwise_block<4>(t, t.pixels - 4);
  } else {
    for (ptrdiff_t x = 0; x < t.pixels; ++x) depthwise_block<1>(t, x);
  }
}

// The sums of `N` kernel cells for one vector of channels, of which those from `skip` on are added to `c`.
template <int N, typename Access>
HB_INLINE void depthwise_grad_vector(const DepthwiseGrad& t, ptrdiff_t first, ptrdiff_t k, int skip, int count) {
  Vec sum[N] = {};
  const float* a[N];
#pragma GCC unroll 9
  for (int n = 0; n < N; ++n) a[n] = t.taps[first + n] + k;
  for (ptrdiff_t y = 0; y < t.rows; ++y) {
    const float* b = t.b + y * t.b_row + k;
    ptrdiff_t at = y * t.a_row;
    for (ptrdiff_t x = 0; x < t.width; ++x, at += t.a_px, b += t.channels) {
      const Vec g = Access::get(b, count);
#pragma GCC unroll 9
      for (int n = 0; n < N; ++n) sum[n] += Access::get(a[n] + at, count) * g;
    }
  }
#pragma GCC unroll 9
  for (int n = 0; n < N; ++n) {
    float* c = t.c[first + n] + k;
    if (count == W && skip == 0)
      store(c, load(c) + sum[n]);
    else
      for (int i = skip; i < count; ++i) c[i] += sum[n][i];
  }
}

template <int N>
void depthwise_grad_cells(const DepthwiseGrad& t, ptrdiff_t first) {
  if (t.channels < W) return depthwise_grad_vector<N, Part>(t, first, 0, 0, static_cast<int>(t.channels));
  ptrdiff_t k = 0;
  for (; k + W <= t.channels; k += W) depthwise_grad_vector<N, Whole>(t, first, k, 0, W);
  const ptrdiff_t last = t.channels - W;
  if (last > k - W) depthwise_grad_vector<N, Whole>(t, first, last, static_cast<int>(k - last), W);
}

void depthwise_grad(const DepthwiseGrad& t) {
  constexpr int kMost = 9;
  constexpr void (*cells[kMost + 1])(const DepthwiseGrad&, ptrdiff_t) = {
      nullptr,
      depthwise_grad_cells<1>, depthwise_grad_cells<2>, depthwise_grad_cells<3>,
      depthwise_grad_cells<4>, depthwise_grad_cells<5>, depthwise_grad_cells<6>,
      depthwise_grad_cells<7>, depthwise_grad_cells<8>, depthwise_grad_cells<9>,
  };
  const ptrdiff_t pieces = (t.count + kMost - 1) / kMost;
  for (ptrdiff_t i = 0; i < pieces; ++i) {
    const ptrdiff_t first = t.count * i / pieces;
    cells[t.count * (i + 1) / pieces - first](t, first);
  }
}
