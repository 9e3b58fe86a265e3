// Sums over the columns of some rows; part of kernels.cpp, whose vectors and helpers it uses.

// Row after row, as they stand in memory; `Sums` adds a few rows of one vector of channels, or of one channel.
template <typename Sums>
HB_INLINE void over_columns(ptrdiff_t rows, ptrdiff_t channels, const Sums& sums) {
  ptrdiff_t r = 0;
  for (; r + 4 <= rows; r += 4) {
    ptrdiff_t k = 0;
    for (; k + W <= channels; k += W) sums.template vectors<4>(r, k);
    for (; k < channels; ++k) sums.numbers(r, 4, k);
  }
  for (; r < rows; ++r) {
    ptrdiff_t k = 0;
    for (; k + W <= channels; k += W) sums.template vectors<1>(r, k);
    for (; k < channels; ++k) sums.numbers(r, 1, k);
  }
}

struct ColumnSums {
  const Columns& t;
  template <int M>
  HB_INLINE void vectors(ptrdiff_t r, ptrdiff_t k) const {
    Vec sum = load(t.sum + k);
    for (int m = 0; m < M; ++m) sum += load(t.x + (r + m) * t.channels + k);
    store(t.sum + k, sum);
  }
  void numbers(ptrdiff_t r, int count, ptrdiff_t k) const {
    for (int m = 0; m < count; ++m) t.sum[k] += t.x[(r + m) * t.channels + k];
  }
};

struct ColumnDeviations {
  const Columns& t;
  template <int M>
  HB_INLINE void vectors(ptrdiff_t r, ptrdiff_t k) const {
    const Vec mean = load(t.mean + k);
    Vec sum = load(t.sum + k), product = load(t.product + k);
    for (int m = 0; m < M; ++m) {
      const Vec off = load(t.x + (r + m) * t.channels + k) - mean;
      sum += off;
      product += off * off;
    }
    store(t.sum + k, sum), store(t.product + k, product);
  }
  void numbers(ptrdiff_t r, int count, ptrdiff_t k) const {
    for (int m = 0; m < count; ++m) {
      const float off = t.x[(r + m) * t.channels + k] - t.mean[k];
      t.sum[k] += off;
      t.product[k] += off * off;
    }
  }
};

struct ColumnProducts {
  const Columns& t;
  template <int M>
  HB_INLINE void vectors(ptrdiff_t r, ptrdiff_t k) const {
    const Vec mean = load(t.mean + k);
    Vec sum = load(t.sum + k), product = load(t.product + k);
    for (int m = 0; m < M; ++m) {
      const ptrdiff_t at = (r + m) * t.channels + k;
      const Vec a = load(t.a + at);
      sum += a;
      product += a * (load(t.x + at) - mean);
    }
    store(t.sum + k, sum), store(t.product + k, product);
  }
  void numbers(ptrdiff_t r, int count, ptrdiff_t k) const {
    for (int m = 0; m < count; ++m) {
      const ptrdiff_t at = (r + m) * t.channels + k;
      t.sum[k] += t.a[at];
      t.product[k] += t.a[at] * (t.x[at] - t.mean[k]);
    }
  }
};

void column_sums(const Columns& t) { over_columns(t.rows, t.channels, ColumnSums{t}); }
void column_deviations(const Columns& t) { over_columns(t.rows, t.channels, ColumnDeviations{t}); }
void column_products(const Columns& t) { over_columns(t.rows, t.channels, ColumnProducts{t}); }
