// Products in bfloat16 by the tiles of AMX, with sums in float32, and the packing that they need.
//
// Compiled with the instructions that it uses, and only called where the processor and the kernel have them; see
// `kernels.h`. Without them the table is null.
#include "kernels.h"

#if defined(__AMX_TILE__) && defined(__AMX_BF16__) && defined(__AVX512BF16__) && defined(__AVX512BW__)
#include <immintrin.h>

namespace hornbill {
namespace {

#define HB_INLINE inline __attribute__((always_inline))

// Sums stand in the tiles 0 to 3 (two by two), the left side in 4 and 5, the right side in 6 and 7. Rows and filters that do
// not exist are not part of the tiles, so nothing beyond the arrays is read.
void configure(int rows, int vectors) {
  struct alignas(64) Shape {
    uint8_t palette = 1, start = 0, reserved[14] = {};
    uint16_t bytes[16] = {};
    uint8_t rows[16] = {};
  } shape;
  const int high = rows < 16 ? rows : 16, low = rows - high;
  for (int i = 0; i < 8; ++i) {
    const int wanted = i >= 6 ? 16 : i == 2 || i == 3 || i == 5 ? low : high;
    if (wanted == 0 || (vectors == 1 && (i == 1 || i == 3 || i == 7))) continue;
    shape.rows[i] = static_cast<uint8_t>(wanted), shape.bytes[i] = 64;
  }
  // The compiler does not know that the instruction reads all of it.
  __asm__ volatile("" : : "r"(&shape) : "memory");
  _tile_loadconfig(&shape);
}

template <bool Low, bool Right>
HB_INLINE void multiply(const Half* a, ptrdiff_t a_bytes, const Half* b, ptrdiff_t b_vector) {
  _tile_loadd(6, b, 64);
  _tile_loadd(4, a, a_bytes);
  _tile_dpbf16ps(0, 4, 6);
  if constexpr (Right) {
    _tile_loadd(7, b + b_vector, 64);
    _tile_dpbf16ps(1, 4, 7);
  }
  if constexpr (Low) {
    _tile_loadd(5, reinterpret_cast<const char*>(a) + 16 * a_bytes, a_bytes);
    _tile_dpbf16ps(2, 5, 6);
    if constexpr (Right) _tile_dpbf16ps(3, 5, 7);
  }
}

template <bool Low, bool Right>
HB_INLINE void clear() {
  _tile_zero(0);
  if constexpr (Right) _tile_zero(1);
  if constexpr (Low) _tile_zero(2);
  if constexpr (Low && Right) _tile_zero(3);
}

template <bool Low, bool Right>
HB_INLINE void read(const float* c, ptrdiff_t row) {
  _tile_loadd(0, c, row * 4);
  if constexpr (Right) _tile_loadd(1, c + 16, row * 4);
  if constexpr (Low) _tile_loadd(2, c + 16 * row, row * 4);
  if constexpr (Low && Right) _tile_loadd(3, c + 16 * row + 16, row * 4);
}

template <bool Low, bool Right>
HB_INLINE void write(float* c, ptrdiff_t row) {
  _tile_stored(0, c, row * 4);
  if constexpr (Right) _tile_stored(1, c + 16, row * 4);
  if constexpr (Low) _tile_stored(2, c + 16 * row, row * 4);
  if constexpr (Low && Right) _tile_stored(3, c + 16 * row + 16, row * 4);
}

template <bool Low, bool Right>
void forward(const TileForward& t) {
  constexpr ptrdiff_t step = Right ? 1024 : 512;
  clear<Low, Right>();
  const Half* b = t.b;
  for (ptrdiff_t i = 0; i < t.count; ++i) {
    const Half* a = t.a + t.runs[i];
    for (ptrdiff_t k = 0; k < t.steps; ++k, a += 32, b += step) multiply<Low, Right>(a, 2 * t.a_px, b, 512);
  }
  write<Low, Right>(t.c, 32);
}

template <bool Low, bool Right>
void weight_grad(const TileWeightGrad& t) {
  if (t.add)
    read<Low, Right>(t.c, t.c_row);
  else
    clear<Low, Right>();
  for (ptrdiff_t k = 0; k < t.steps; ++k) multiply<Low, Right>(t.a + 32 * k, 2 * t.a_row, t.b + 512 * k, t.b_vector);
  write<Low, Right>(t.c, t.c_row);
}

template <typename T>
HB_INLINE void by_size(int rows, int vectors, const T& t, void (*both)(const T&), void (*left)(const T&),
                       void (*high)(const T&), void (*one)(const T&)) {
  configure(rows, vectors);
  (rows > 16 ? vectors > 1 ? both : left : vectors > 1 ? high : one)(t);
}

void any_forward(const TileForward& t) {
  by_size(t.pixels, t.vectors, t, forward<true, true>, forward<true, false>, forward<false, true>,
          forward<false, false>);
}

void any_weight_grad(const TileWeightGrad& t) {
  by_size(t.channels, t.vectors, t, weight_grad<true, true>, weight_grad<true, false>, weight_grad<false, true>,
          weight_grad<false, false>);
}

// Leaves no state behind, which would have to be kept whenever the thread changes.
void release() { _tile_release(); }

void finish(const TileFinish& t) {
  for (int n = 0; n < t.columns; n += 16) {
    const __mmask16 kept = static_cast<__mmask16>(t.columns - n >= 16 ? 0xffff : (1 << (t.columns - n)) - 1);
    const __m512 bias = t.bias ? _mm512_loadu_ps(t.bias + n) : _mm512_setzero_ps();
    for (ptrdiff_t i = 0; i < t.pixels; ++i) {
      __m512 v = _mm512_add_ps(_mm512_loadu_ps(t.sums + 32 * i + n), bias);
      if (t.activation == kRelu)  // a sum that is no number stays one
        v = _mm512_mask_mov_ps(v, _mm512_cmp_ps_mask(v, _mm512_setzero_ps(), _CMP_LT_OQ), _mm512_setzero_ps());
      const __m256bh rounded = _mm512_cvtneps_pbh(v);
      __m256i bits;
      __builtin_memcpy(&bits, &rounded, sizeof bits);
      _mm256_mask_storeu_epi16(t.out + i * t.px + n, kept, bits);
    }
  }
}

void pairs(const Half* from, ptrdiff_t from_row, Half* to, ptrdiff_t rows, ptrdiff_t columns) {
  const __mmask16 kept = static_cast<__mmask16>((1u << columns) - 1);
  for (ptrdiff_t r = 0; r < rows; r += 2, from += 2 * from_row, to += 32) {
    const __m512i even = _mm512_cvtepu16_epi32(_mm256_maskz_loadu_epi16(kept, from));
    const __m512i odd = r + 1 < rows ? _mm512_cvtepu16_epi32(_mm256_maskz_loadu_epi16(kept, from + from_row))
                                     : _mm512_setzero_si512();
    _mm512_storeu_si512(to, _mm512_or_si512(even, _mm512_slli_epi32(odd, 16)));
  }
}

// Reads 16 rows of 32 numbers, of which `rows` and those of `kept` exist, and swaps rows and pairs of numbers.
HB_INLINE void load_swapped(const Half* from, ptrdiff_t from_row, ptrdiff_t rows, __mmask32 kept, __m512i (&v)[16]) {
  const __m512i low = _mm512_set_epi32(23, 7, 22, 6, 21, 5, 20, 4, 19, 3, 18, 2, 17, 1, 16, 0);
  const __m512i high = _mm512_set_epi32(31, 15, 30, 14, 29, 13, 28, 12, 27, 11, 26, 10, 25, 9, 24, 8);
#pragma GCC unroll 16
  for (int i = 0; i < 16; ++i)
    v[i] = i < rows ? _mm512_maskz_loadu_epi16(kept, from + i * from_row) : _mm512_setzero_si512();
  // Interleaving the first half with the second, four times, swaps the axes.
#pragma GCC unroll 4
  for (int step = 0; step < 4; ++step) {
    __m512i t[16];
#pragma GCC unroll 8
    for (int i = 0; i < 8; ++i) {
      t[2 * i] = _mm512_permutex2var_epi32(v[i], low, v[i + 8]);
      t[2 * i + 1] = _mm512_permutex2var_epi32(v[i], high, v[i + 8]);
    }
#pragma GCC unroll 16
    for (int i = 0; i < 16; ++i) v[i] = t[i];
  }
}

constexpr __mmask32 first(ptrdiff_t count) {
  return count >= 32 ? ~__mmask32{0} : static_cast<__mmask32>((1u << count) - 1);
}

void swap_pairs(const Half* from, ptrdiff_t from_row, Half* to, ptrdiff_t rows, ptrdiff_t columns) {
  __m512i v[16];
  load_swapped(from, from_row, rows, first(columns), v);
  for (int i = 0; i < 16; ++i) _mm512_storeu_si512(to + 32 * i, v[i]);
}

void swap(const Half* from, ptrdiff_t from_row, Half* to, ptrdiff_t to_row, ptrdiff_t rows, ptrdiff_t columns) {
  alignas(64) uint16_t even[32], odd[32];
  for (int i = 0; i < 32; ++i) even[i] = static_cast<uint16_t>(2 * i), odd[i] = static_cast<uint16_t>(2 * i + 1);
  const __m512i evens = _mm512_load_si512(even), odds = _mm512_load_si512(odd);
  for (ptrdiff_t r = 0; r < rows; r += 32) {
    const __mmask32 kept = first(rows - r);
    for (ptrdiff_t c = 0; c < columns; c += 32) {
      const Half* block = from + r * from_row + c;
      Half* out = to + c * to_row + r;
      const ptrdiff_t channels = columns - c;
      __m512i v[16], w[16] = {};
      load_swapped(block, from_row, rows - r, first(channels), v);
      if (rows - r > 16) load_swapped(block + 16 * from_row, from_row, rows - r - 16, first(channels), w);
#pragma GCC unroll 16
      for (int i = 0; i < 16; ++i) {
        if (2 * i < channels)
          _mm512_mask_storeu_epi16(out + 2 * i * to_row, kept, _mm512_permutex2var_epi16(v[i], evens, w[i]));
        if (2 * i + 1 < channels)
          _mm512_mask_storeu_epi16(out + (2 * i + 1) * to_row, kept, _mm512_permutex2var_epi16(v[i], odds, w[i]));
      }
    }
  }
}

}  // namespace

const TileKernels* amx_tiles() {
  static const TileKernels table = {any_forward, any_weight_grad, finish, release, pairs, swap_pairs, swap};
  return &table;
}

}  // namespace hornbill
#else
namespace hornbill {
const TileKernels* amx_tiles() { return nullptr; }
}  // namespace hornbill
#endif
