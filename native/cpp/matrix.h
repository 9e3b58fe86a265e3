// Small matrix products with the tiles of a convolution, for kernels that hold their matrices in the cache.
#pragma once

#include <algorithm>

#include "kernels.h"
#include "product.h"

namespace hornbill {

// A matrix whose columns are packed for the tiles: for each run of `vectors` vectors of columns, `depth` rows of them.
struct Packed {
  i64 depth, columns;
  int vectors;
  const float* data;
  i64 step;  // floats from one run of columns to the next
};

inline Packed first_rows(Packed m, i64 count) {
  m.depth = count;
  return m;
}
inline Packed first_columns(Packed m, i64 count) {
  m.columns = count;
  return m;
}

inline int tile_vectors(const Kernels& k, i64 columns) { return columns > k.width ? 2 : 1; }

inline i64 packed_floats(const Kernels& k, i64 depth, i64 columns) {
  const i64 wide = tile_vectors(k, columns) * k.width;
  return depth * ceil_div(columns, wide) * wide;
}

// Packs a matrix (depth, columns) whose rows lie `row` and whose columns lie `column` floats apart.
inline Packed pack_matrix(const Kernels& k, const float* from, i64 depth, i64 columns, i64 row, i64 column, float* to) {
  const int vectors = tile_vectors(k, columns);
  const i64 wide = vectors * k.width;
  const Packed packed = {depth, columns, vectors, to, depth * wide};
  for (i64 first = 0; first < columns; first += wide, to += depth * wide) {
    const i64 count = std::min(wide, columns - first);
    if (column == 1) {
      for (i64 i = 0; i < depth; ++i) std::copy_n(from + i * row + first, count, to + i * wide);
    } else {
      k.transpose(from + first * column, column, to, wide, count, depth);
    }
    if (count < wide)
      for (i64 i = 0; i < depth; ++i) std::fill(to + i * wide + count, to + (i + 1) * wide, 0.0f);
  }
  return packed;
}

// c (rows, columns) (+)= a (rows, depth) @ b, where rows of a and c lie so many floats apart.
inline void multiply(const Kernels& k, const float* a, i64 a_row, i64 rows, const Packed& b, float* c, i64 c_row, bool add) {
  const i64 wide = b.vectors * k.width, count = ceil_div(rows, k.rows[b.vectors]);
  Forward t = {};
  t.a_px = a_row, t.n1 = t.n2 = 1, t.len = b.depth, t.c_px = c_row, t.add = add, t.b = b.data;
  for (i64 first = 0; first < b.columns; first += wide, t.b += b.step) {
    t.columns = static_cast<int>(std::min(wide, b.columns - first));
    for (i64 i = 0; i < count; ++i) {
      const i64 from = rows * i / count, to = rows * (i + 1) / count;
      t.a = a + from * a_row, t.c = c + from * c_row + first;
      k.forward[b.vectors][to - from](t);
    }
  }
}

// c (n, columns) (+)= a (rows, n)^T @ b (rows, columns); rows of b are filled up to whole tiles.
inline void multiply_turned(const Kernels& k, const float* a, i64 a_row, i64 n, i64 rows, const float* b, i64 b_row,
                            i64 columns, float* c, i64 c_row, bool add) {
  const int vectors = tile_vectors(k, columns);
  const i64 wide = vectors * k.width, count = ceil_div(n, k.cells[vectors]);
  WeightGrad t = {};
  t.a_px = a_row, t.b_px = b_row, t.rows = 1, t.width = rows, t.add = add;
  for (i64 first = 0; first < columns; first += wide) {
    t.b = b + first, t.columns = static_cast<int>(std::min(wide, columns - first));
    for (i64 i = 0; i < count; ++i) {
      const i64 from = n * i / count, to = n * (i + 1) / count;
      t.a = a + from;
      for (i64 m = from; m < to; ++m) t.c[m - from] = c + m * c_row + first;
      k.weight_grad[vectors][to - from](t);
    }
  }
}

}  // namespace hornbill
