// Inner loops over vectors of HB_WIDTH floats, compiled once per instruction set (see setup.py).
//
// Vectors are those of GCC and Clang, so one text serves AVX-512, AVX2, SSE2 and NEON. Everything has internal linkage
// and no standard header with inline code is included: a function compiled here for a newer processor must never be the
// one that the linker keeps for all.
#include "kernels.h"

#ifndef HB_WIDTH
#error "HB_WIDTH, HB_REGISTERS and HB_NAME are set by the build"
#endif

namespace hornbill {
namespace {

constexpr int W = HB_WIDTH;
typedef float Vec __attribute__((vector_size(W * 4)));
typedef float Loose __attribute__((vector_size(W * 4), aligned(4), may_alias));
typedef int32_t Ints __attribute__((vector_size(W * 4)));
typedef uint32_t Bits __attribute__((vector_size(W * 4)));
typedef Half Halves __attribute__((vector_size(W * 2), aligned(2), may_alias));
typedef uint8_t Bytes __attribute__((vector_size(W), aligned(1), may_alias));

#define HB_INLINE inline __attribute__((always_inline))

HB_INLINE Vec load(const float* p) { return *reinterpret_cast<const Loose*>(p); }
HB_INLINE void store(float* p, Vec v) { *reinterpret_cast<Loose*>(p) = v; }

// A bfloat16 is the upper half of a float32.
HB_INLINE float widened(float value) { return value; }
HB_INLINE float widened(Half half) {
  const uint32_t bits = static_cast<uint32_t>(half) << 16;
  float value;
  __builtin_memcpy(&value, &bits, sizeof value);
  return value;
}
HB_INLINE void round_to(float* to, float value) { *to = value; }
HB_INLINE void round_to(Half* to, float value) {
  uint32_t bits;
  __builtin_memcpy(&bits, &value, sizeof bits);
  const uint32_t nearest = bits + 0x7fff + (bits >> 16 & 1), none = bits | 0x400000;  // a quiet one that is no number
  *to = static_cast<Half>((value == value ? nearest : none) >> 16);
}
HB_INLINE Vec load(const Half* p) {
  return reinterpret_cast<Vec>(__builtin_convertvector(*reinterpret_cast<const Halves*>(p), Bits) << 16);
}
HB_INLINE void store(Half* p, Vec v) {  // of what needs no rounding
  *reinterpret_cast<Halves*>(p) = __builtin_convertvector(reinterpret_cast<Bits>(v) >> 16, Halves);
}

// Most rows of a tile such that its sums, one row of weights and one broadcast stay in registers.
constexpr int tall(int vectors) {
  int rows = (HB_REGISTERS - 1 - vectors) / vectors;
  return rows > kMaxRows ? kMaxRows : rows;
}

// Stores or reads the part of a vector that exists in memory; rare, so kept out of the tiles' code.
__attribute__((noinline)) void copy_part(float* to, const float* from, int count) {
  for (int i = 0; i < count && i < W; ++i) to[i] = from[i];
}
HB_INLINE Vec load_part(const float* p, int count) {
  float held[W] = {};
  copy_part(held, p, count);
  return load(held);
}
HB_INLINE void store_part(float* p, Vec v, int count) {
  float held[W];
  store(held, v);
  copy_part(p, held, count);
}

template <int M, int N>
HB_INLINE void finish(Vec (&sum)[M][N], const Forward& t) {
  const bool whole = t.columns >= N * W;
#pragma GCC unroll 14
  for (int m = 0; m < M; ++m) {
    float* c = t.c + m * t.c_px;
#pragma GCC unroll 4
    for (int n = 0; n < N; ++n) {
      const int left = t.columns - n * W;
      Vec v = sum[m][n];
      if (t.add) v += whole ? load(c + n * W) : load_part(c + n * W, left);
      if (t.bias) v += load(t.bias + n * W);
      // A sum that is no number stays one: the comparison is false for it.
      if (t.activation == kRelu) v = (v < 0.0f) ? Vec{} : v;
      if (whole)
        store(c + n * W, v);
      else
        store_part(c + n * W, v, left);
    }
  }
}

template <int M, int N>
void forward(const Forward& t) {
  Vec sum[M][N] = {};
  const float* b = t.b;
  const ptrdiff_t px = t.a_px;
  for (ptrdiff_t i = 0; i < t.n1; ++i) {
    for (ptrdiff_t j = 0; j < t.n2; ++j) {
      // One pointer for every four pixels: the four are reached by scaled addresses from it.
      const float* a0 = t.a + i * t.s1 + j * t.s2;
      const float* a4 = a0 + 4 * px;
      const float* a8 = a4 + 4 * px;
      const float* a12 = a8 + 4 * px;
      for (ptrdiff_t k = 0; k < t.len; ++k) {
        Vec w[N];
#pragma GCC unroll 4
        for (int n = 0; n < N; ++n) w[n] = load(b + n * W);
#pragma GCC unroll 14
        for (int m = 0; m < M; ++m) {
          const float* p = m < 4 ? a0 : m < 8 ? a4 : m < 12 ? a8 : a12;
          const Vec x = p[(m & 3) * px] - Vec{};
#pragma GCC unroll 4
          for (int n = 0; n < N; ++n) sum[m][n] += x * w[n];
        }
        b += N * W;
        ++a0, ++a4, ++a8, ++a12;
      }
    }
  }
  finish<M, N>(sum, t);
}

template <int M, int N>
void weight_grad(const WeightGrad& t) {
  Vec sum[M][N] = {};
  const bool whole = t.columns >= N * W;
  for (ptrdiff_t y = 0; y < t.rows; ++y) {
    const float* a = t.a + y * t.a_row;
    const float* b = t.b + y * t.b_row;
    for (ptrdiff_t x = 0; x < t.width; ++x) {
      Vec g[N];
#pragma GCC unroll 4
      for (int n = 0; n < N; ++n) g[n] = load(b + n * W);
#pragma GCC unroll 14
      for (int m = 0; m < M; ++m) {
        const Vec v = a[m] - Vec{};
#pragma GCC unroll 4
        for (int n = 0; n < N; ++n) sum[m][n] += v * g[n];
      }
      a += t.a_px;
      b += t.b_px;
    }
  }
#pragma GCC unroll 14
  for (int m = 0; m < M; ++m) {
    float* c = t.c[m];
#pragma GCC unroll 4
    for (int n = 0; n < N; ++n) {
      const int left = t.columns - n * W;
      Vec v = sum[m][n];
      if (t.add) v += whole ? load(c + n * W) : load_part(c + n * W, left);
      if (whole)
        store(c + n * W, v);
      else
        store_part(c + n * W, v, left);
    }
  }
}

// ---- Winograd's F(4 x 4, 3 x 3): products of polynomials at the points 0, a, -a, b, -b and infinity (Toom and Cook;
// Lavin and Gray, 2015, arXiv:1509.09308). With a = 3/4 and b = 3/2 the rounding errors are a fifth of those of the usual
// 1 and 2, and every constant but the kernel's is exact.

constexpr float A = 0.75f, B = 1.5f, AA = A * A, BB = B * B;

HB_INLINE void across_input(const Vec (&d)[6], Vec (&t)[6]) {
  const Vec even_a = d[4] - BB * d[2], odd_a = A * (d[3] - BB * d[1]);
  const Vec even_b = d[4] - AA * d[2], odd_b = B * (d[3] - AA * d[1]);
  t[0] = AA * BB * d[0] - (AA + BB) * d[2] + d[4];
  t[1] = even_a + odd_a;
  t[2] = even_a - odd_a;
  t[3] = even_b + odd_b;
  t[4] = even_b - odd_b;
  t[5] = AA * BB * d[1] - (AA + BB) * d[3] + d[5];
}

HB_INLINE void across_kernel(const Vec (&d)[3], Vec (&t)[6]) {
  constexpr float at_a = 1 / (2 * AA * (AA - BB)), at_b = 1 / (2 * BB * (BB - AA));
  const Vec even_a = at_a * (d[0] + AA * d[2]), odd_a = at_a * A * d[1];
  const Vec even_b = at_b * (d[0] + BB * d[2]), odd_b = at_b * B * d[1];
  t[0] = d[0] * (1 / (AA * BB));
  t[1] = even_a + odd_a;
  t[2] = even_a - odd_a;
  t[3] = even_b + odd_b;
  t[4] = even_b - odd_b;
  t[5] = d[2];
}

HB_INLINE void across_output(const Vec (&d)[6], Vec (&t)[4]) {
  const Vec even_a = d[1] + d[2], odd_a = A * (d[1] - d[2]), even_b = d[3] + d[4], odd_b = B * (d[3] - d[4]);
  t[0] = d[0] + even_a + even_b;
  t[1] = odd_a + odd_b;
  t[2] = AA * even_a + BB * even_b;
  t[3] = AA * odd_a + BB * odd_b + d[5];
}

// The same for F(3 x 3, 4 x 4), which sums a kernel's gradient: 4 x 4 outputs take the kernel's part.
HB_INLINE void across_gradient(const Vec (&d)[4], Vec (&t)[6]) {
  constexpr float at_a = 1 / (2 * AA * (AA - BB)), at_b = 1 / (2 * BB * (BB - AA));
  const Vec even_a = at_a * (d[0] + AA * d[2]), odd_a = at_a * A * (d[1] + AA * d[3]);
  const Vec even_b = at_b * (d[0] + BB * d[2]), odd_b = at_b * B * (d[1] + BB * d[3]);
  t[0] = d[0] * (1 / (AA * BB));
  t[1] = even_a + odd_a;
  t[2] = even_a - odd_a;
  t[3] = even_b + odd_b;
  t[4] = even_b - odd_b;
  t[5] = d[3];
}

HB_INLINE void across_weights(const Vec (&d)[6], Vec (&t)[3]) {
  const Vec even_a = d[1] + d[2], even_b = d[3] + d[4];
  t[0] = d[0] + even_a + even_b;
  t[1] = A * (d[1] - d[2]) + B * (d[3] - d[4]);
  t[2] = AA * even_a + BB * even_b + d[5];
}

void winograd_gradient(const WinogradGradient& t) {
  for (int n = 0; n < t.vectors; ++n) {
    const int left = t.channels - n * W;
    Vec half[6][4] = {};
    for (int x = 0; x < t.columns; ++x) {
      Vec d[4] = {}, r[6];
      for (int y = 0; y < t.rows; ++y) {
        const float* from = t.from + y * t.row + x * t.px + n * W;
        d[y] = left >= W ? load(from) : load_part(from, left);
      }
      across_gradient(d, r);
      for (int y = 0; y < 6; ++y) half[y][x] = r[y];
    }
    for (int y = 0; y < 6; ++y) {
      Vec r[6];
      across_gradient(half[y], r);
      for (int x = 0; x < 6; ++x) store(t.to + (6 * y + x) * t.to_cell + n * W, r[x]);
    }
  }
}

void winograd_weights(const WinogradWeights& t) {
  for (int n = 0; n < t.vectors; ++n) {
    const int left = t.channels - n * W;
    Vec half[3][6];
    for (int x = 0; x < 6; ++x) {
      Vec d[6], r[3];
      for (int y = 0; y < 6; ++y) d[y] = load(t.from + (6 * y + x) * t.from_cell + n * W);
      across_weights(d, r);
      for (int y = 0; y < 3; ++y) half[y][x] = r[y];
    }
    for (int y = 0; y < 3; ++y) {
      Vec r[3];
      across_weights(half[y], r);
      for (int x = 0; x < 3; ++x) {
        float* to = t.to + y * t.kh + x * t.kw + n * W;
        if (left >= W)
          store(to, r[x]);
        else
          store_part(to, r[x], left);
      }
    }
  }
}

void winograd_input(const WinogradInput& t) {
  for (ptrdiff_t k = 0; k < t.channels; k += W) {
    const int left = t.channels - k < W ? static_cast<int>(t.channels - k) : W;
    Vec half[6][6];
    for (int x = 0; x < 6; ++x) {
      Vec d[6], r[6];
      for (int y = 0; y < 6; ++y) {
        const float* from = t.from + y * t.row + x * t.px + k;
        d[y] = left == W ? load(from) : load_part(from, left);
      }
      across_input(d, r);
      for (int y = 0; y < 6; ++y) half[y][x] = r[y];
    }
    for (int y = 0; y < 6; ++y) {
      Vec r[6];
      across_input(half[y], r);
      for (int x = 0; x < 6; ++x) {
        float* to = t.to + (6 * y + x) * t.to_cell + k;
        if (left == W)
          store(to, r[x]);
        else
          store_part(to, r[x], left);
      }
    }
  }
}

void winograd_kernel(const WinogradKernel& t) {
  for (ptrdiff_t k = 0; k < t.count; k += W) {
    Vec half[6][3];
    for (int x = 0; x < 3; ++x) {
      Vec d[3], r[6];
      for (int y = 0; y < 3; ++y) d[y] = load(t.from + (3 * y + x) * t.from_cell + k);
      across_kernel(d, r);
      for (int y = 0; y < 6; ++y) half[y][x] = r[y];
    }
    for (int y = 0; y < 6; ++y) {
      Vec r[6];
      across_kernel(half[y], r);
      for (int x = 0; x < 6; ++x) store(t.to + (6 * y + x) * t.to_cell + k, r[x]);
    }
  }
}

void winograd_output(const WinogradOutput& t) {
  for (int n = 0; n < t.vectors; ++n) {
    const int left = t.channels - n * W;
    Vec half[4][6];
    for (int x = 0; x < 6; ++x) {
      Vec d[6], r[4];
      for (int y = 0; y < 6; ++y) d[y] = load(t.from + (6 * y + x) * t.from_cell + n * W);
      across_output(d, r);
      for (int y = 0; y < 4; ++y) half[y][x] = r[y];
    }
    for (int y = 0; y < t.rows; ++y) {
      Vec r[4];
      across_output(half[y], r);
      for (int x = 0; x < t.columns; ++x) {
        Vec v = r[x];
        if (t.bias) v += load(t.bias + n * W);
        if (t.activation == kRelu) v = (v < 0.0f) ? Vec{} : v;
        float* to = t.out + y * t.row + x * t.px + n * W;
        if (left >= W)
          store(to, v);
        else
          store_part(to, v, left);
      }
    }
  }
}

void adam(const Adam& t) {
#pragma GCC ivdep
  for (ptrdiff_t i = 0; i < t.count; ++i) {
    const float g = t.g[i];
    const float m = t.m[i] + (g - t.m[i]) * t.keep_1;
    const float v = t.v[i] + (g * g - t.v[i]) * t.keep_2;
    t.new_p[i] = t.p[i] - m * t.rate / (__builtin_sqrtf(v) + t.epsilon);
    t.new_m[i] = m;
    t.new_v[i] = v;
  }
}

void widen(const Half* from, float* to, ptrdiff_t count) {
#pragma GCC ivdep
  for (ptrdiff_t i = 0; i < count; ++i) to[i] = widened(from[i]);
}

void narrow(const float* from, Half* to, ptrdiff_t count) {
#pragma GCC ivdep
  for (ptrdiff_t i = 0; i < count; ++i) round_to(to + i, from[i]);
}

// A cell wins over the best so far if it is larger; a cell that is no number makes the largest one no number, while the
// place stays: the same as hornbill.ops.pooling without this package.
template <typename T>
void pool(const PoolOf<T>& t) {
  for (ptrdiff_t x = 0; x < t.windows; ++x) {
    const ptrdiff_t at = x * t.a_px, to = x * t.channels;
    ptrdiff_t k = 0;
    for (; k + W <= t.channels; k += W) {
      Vec best = load(t.taps[0] + at + k);
      Ints place = Ints{} + t.numbers[0];
      for (ptrdiff_t i = 1; i < t.count; ++i) {
        const Vec v = load(t.taps[i] + at + k);
        const Ints more = v > best;
        place = more ? Ints{} + t.numbers[i] : place;
        best = (more | (v != v)) ? v : best;
      }
      store(t.c + to + k, best);
      if (t.place) *reinterpret_cast<Bytes*>(t.place + to + k) = __builtin_convertvector(place, Bytes);
    }
    for (; k < t.channels; ++k) {
      float best = widened(t.taps[0][at + k]);
      uint8_t place = t.numbers[0];
      for (ptrdiff_t i = 1; i < t.count; ++i) {
        const float v = widened(t.taps[i][at + k]);
        if (v > best) place = t.numbers[i];
        if (v > best || v != v) best = v;
      }
      round_to(t.c + to + k, best);
      if (t.place) t.place[to + k] = place;
    }
  }
}

template <typename T>
void pool_grad(const PoolGradOf<T>& t) {
  for (ptrdiff_t x = 0; x < t.windows; ++x) {
    const uint8_t* place = t.place + x * t.channels;
    const T* gradient = t.gradient + x * t.channels;
    for (ptrdiff_t i = 0; i < t.count; ++i) {
      T* to = t.taps[i] + x * t.a_px;
      const uint8_t number = t.numbers[i];
      if (t.fresh)
        for (ptrdiff_t k = 0; k < t.channels; ++k) to[k] = place[k] == number ? gradient[k] : T{0};
      else
        for (ptrdiff_t k = 0; k < t.channels; ++k) round_to(to + k, widened(to[k]) + (place[k] == number ? widened(gradient[k]) : 0.0f));
    }
  }
}

void relu_grad(const ReluGrad& t) {
  for (ptrdiff_t x = 0; x < t.pixels; ++x) {
    const ptrdiff_t at = x * t.channels;
    ptrdiff_t k = 0;
    for (; k + W <= t.channels; k += W) {
      const Vec v = load(t.outputs + at + k) > 0.0f ? load(t.gradient + at + k) : Vec{};
      store(t.result + at + k, v);
      store(t.sums + k, load(t.sums + k) + v);
    }
    for (; k < t.channels; ++k) {
      const Half v = widened(t.outputs[at + k]) > 0 ? t.gradient[at + k] : Half{0};
      t.result[at + k] = v;
      t.sums[k] += widened(v);
    }
  }
}

void transpose_plain(const float* from, ptrdiff_t from_row, float* to, ptrdiff_t to_row, ptrdiff_t rows,
                     ptrdiff_t columns) {
  for (ptrdiff_t c = 0; c < columns; ++c)
    for (ptrdiff_t r = 0; r < rows; ++r) to[c * to_row + r] = from[r * from_row + c];
}

#if defined(__has_builtin)
#if __has_builtin(__builtin_shufflevector)
#define HB_SHUFFLES
#endif
#endif

#ifdef HB_SHUFFLES
#if HB_WIDTH == 16
#define HB_LOW 0, 16, 1, 17, 2, 18, 3, 19, 4, 20, 5, 21, 6, 22, 7, 23
#define HB_HIGH 8, 24, 9, 25, 10, 26, 11, 27, 12, 28, 13, 29, 14, 30, 15, 31
#elif HB_WIDTH == 8
#define HB_LOW 0, 8, 1, 9, 2, 10, 3, 11
#define HB_HIGH 4, 12, 5, 13, 6, 14, 7, 15
#else
#define HB_LOW 0, 4, 1, 5
#define HB_HIGH 2, 6, 3, 7
#endif

// A square block of vectors: interleaving its first half with its second, log2(W) times, swaps the axes.
HB_INLINE void transpose_block(const float* from, ptrdiff_t from_row, float* to, ptrdiff_t to_row) {
  Vec v[W], t[W];
#pragma GCC unroll 16
  for (int i = 0; i < W; ++i) v[i] = load(from + i * from_row);
#pragma GCC unroll 4
  for (int step = 1; step < W; step *= 2) {
#pragma GCC unroll 8
    for (int i = 0; i < W / 2; ++i) {
      t[2 * i] = __builtin_shufflevector(v[i], v[i + W / 2], HB_LOW);
      t[2 * i + 1] = __builtin_shufflevector(v[i], v[i + W / 2], HB_HIGH);
    }
#pragma GCC unroll 16
    for (int i = 0; i < W; ++i) v[i] = t[i];
  }
#pragma GCC unroll 16
  for (int i = 0; i < W; ++i) store(to + i * to_row, v[i]);
}
#endif

void transpose(const float* from, ptrdiff_t from_row, float* to, ptrdiff_t to_row, ptrdiff_t rows, ptrdiff_t columns) {
  ptrdiff_t whole_rows = 0, whole_columns = 0;
#ifdef HB_SHUFFLES
  whole_rows = rows - rows % W, whole_columns = columns - columns % W;
  for (ptrdiff_t r = 0; r < whole_rows; r += W)
    for (ptrdiff_t c = 0; c < whole_columns; c += W)
      transpose_block(from + r * from_row + c, from_row, to + c * to_row + r, to_row);
#endif
  transpose_plain(from + whole_columns, from_row, to + whole_columns * to_row, to_row, whole_rows, columns - whole_columns);
  transpose_plain(from + whole_rows * from_row, from_row, to + whole_rows, to_row, rows - whole_rows, columns);
}

// A whole vector of an array, or the part of one that exists.
struct Whole {
  static HB_INLINE Vec get(const float* p, int) { return load(p); }
  static HB_INLINE void put(float* p, Vec v, int) { store(p, v); }
};
struct Part {
  static HB_INLINE Vec get(const float* p, int count) { return load_part(p, count); }
  static HB_INLINE void put(float* p, Vec v, int count) { store_part(p, v, count); }
};

#include "exponential.h"

#include "attention_loops.h"
#include "depthwise_loops.h"
#include "moments_loops.h"
#include "recurrent_loops.h"

template <int N, int M>
void fill(Kernels& k) {
  if constexpr (M <= tall(N)) {
    k.forward[N][M] = forward<M, N>;
    k.weight_grad[N][M] = weight_grad<M, N>;
    fill<N, M + 1>(k);
  }
}

Kernels make() {
  Kernels k = {};
  k.name = HB_NAME;
  k.width = W;
  for (int n = 1; n <= kMaxVectors; ++n) k.rows[n] = k.cells[n] = tall(n);
  fill<1, 1>(k), fill<2, 1>(k), fill<3, 1>(k), fill<4, 1>(k);
  k.depthwise = depthwise;
  k.depthwise_grad = depthwise_grad;
  k.column_sums = column_sums;
  k.column_deviations = column_deviations;
  k.column_products = column_products;
  k.winograd_input = winograd_input;
  k.winograd_kernel = winograd_kernel;
  k.winograd_output = winograd_output;
  k.winograd_gradient = winograd_gradient;
  k.winograd_weights = winograd_weights;
  k.adam = adam;
  k.softmax = softmax;
  k.softmax_grad = softmax_grad;
  k.lstm = lstm;
  k.lstm_grad = lstm_grad;
  k.gru = gru;
  k.gru_grad = gru_grad;
  k.widen = widen;
  k.narrow = narrow;
  k.pool = pool<float>;
  k.pool_grad = pool_grad<float>;
  k.half_pool = pool<Half>;
  k.half_pool_grad = pool_grad<Half>;
  k.relu_grad = relu_grad;
  k.transpose = transpose;
  return k;
}

}  // namespace

const Kernels* HB_TABLE() {
  static const Kernels table = make();
  return &table;
}

}  // namespace hornbill
