#include "attention.h"

#include <algorithm>

#include "matrix.h"
#include "tasks.h"

namespace hornbill {
namespace {

constexpr i64 kBlock = 56;  // query rows whose scores are held at once

std::string wrong_with(const Attention& a) {
  const i64 *q = a.query.size, *k = a.key.size, *v = a.value.size, *o = a.output.size;
  for (i64 size : {q[0], q[1], q[2], q[3], k[1], v[3]})
    if (size < 0 || size > (i64{1} << 30)) return "a size is negative or too large";
  if (k[0] != q[0] || v[0] != q[0] || o[0] != q[0]) return "batches differ";
  if (k[2] != q[2] || v[2] != q[2] || o[2] != q[2]) return "heads differ";
  if (k[3] != q[3]) return "features of query and key differ";
  if (v[1] != k[1]) return "positions of key and value differ";
  if (o[1] != q[1] || o[3] != v[3]) return "the output has another shape";
  if (k[1] == 0) return "there are no keys";
  return "";
}

// What one head of one sample sees.
struct Head {
  i64 queries, keys, features, values, row, value_row, at, value_at, key_at, key_value_at, sum_at;
  Head(const Attention& a, i64 index) {
    const i64 heads = a.query.size[2], n = index / heads, head = index % heads;
    queries = a.query.size[1], keys = a.key.size[1], features = a.query.size[3], values = a.value.size[3];
    row = heads * features, value_row = heads * values;
    at = n * queries * row + head * features, value_at = n * queries * value_row + head * values;
    key_at = n * keys * row + head * features, key_value_at = n * keys * value_row + head * values;
    sum_at = index * queries;
  }
};

// Copies rows that lie apart into rows of whole tiles.
const float* filled(const Kernels& k, const float* from, i64 rows, i64 columns, i64 row, float* to, i64& to_row) {
  const i64 wide = tile_vectors(k, columns) * k.width;
  to_row = ceil_div(columns, wide) * wide;
  for (i64 i = 0; i < rows; ++i) {
    std::copy_n(from + i * row, columns, to + i * to_row);
    std::fill(to + i * to_row + columns, to + (i + 1) * to_row, 0.0f);
  }
  return to;
}

}  // namespace

std::string attention(const Kernels& k, Threads threads, const Attention& a) {
  const std::string wrong = wrong_with(a);
  if (!wrong.empty()) return wrong;
  parallel(threads, a.query.size[0] * a.query.size[2], [&](i64 index) {
    const Head h(a, index);
    const i64 turned = packed_floats(k, h.features, h.keys), plain = packed_floats(k, h.keys, h.values);
    float* room = memory().weights.room(turned + plain);
    const Packed keys = pack_matrix(k, a.key.data + h.key_at, h.features, h.keys, 1, h.row, room);
    const Packed values =
        pack_matrix(k, a.value.data + h.key_value_at, h.keys, h.values, h.value_row, 1, room + turned);
    float* scores = memory().input.room(kBlock * h.keys);
    for (i64 first = 0; first < h.queries; first += kBlock) {
      const i64 rows = std::min(kBlock, h.queries - first);
      multiply(k, a.query.data + h.at + first * h.row, h.row, rows, keys, scores, h.keys, false);
      for (i64 i = 0; i < rows; ++i) a.sums[h.sum_at + first + i] = k.softmax(scores + i * h.keys, h.keys, a.scale);
      multiply(k, scores, h.keys, rows, values, a.output.data + h.value_at + first * h.value_row, h.value_row, false);
    }
  });
  return "";
}

std::string attention_grad(const Kernels& k, Threads threads, const Attention& a, const float* by_output,
                           float* by_query, float* by_key, float* by_value) {
  const std::string wrong = wrong_with(a);
  if (!wrong.empty()) return wrong;
  parallel(threads, a.query.size[0] * a.query.size[2], [&](i64 index) {
    const Head h(a, index);
    const i64 sizes[] = {packed_floats(k, h.features, h.keys), packed_floats(k, h.values, h.keys),
                         packed_floats(k, h.keys, h.features)};
    float* room = memory().weights.room(sizes[0] + sizes[1] + sizes[2]);
    const Packed keys = pack_matrix(k, a.key.data + h.key_at, h.features, h.keys, 1, h.row, room);
    const Packed values =
        pack_matrix(k, a.value.data + h.key_value_at, h.values, h.keys, 1, h.value_row, room + sizes[0]);
    const Packed back =
        pack_matrix(k, a.key.data + h.key_at, h.keys, h.features, h.row, 1, room + sizes[0] + sizes[1]);
    float* scores = memory().input.room(2 * kBlock * h.keys);
    float* by_scores = scores + kBlock * h.keys;
    const i64 wide = 2 * k.width;
    float* copies = memory().output.room(kBlock * (h.features + h.values + 2 * wide));
    if (h.queries == 0) {
      for (i64 i = 0; i < h.keys; ++i) {
        std::fill_n(by_key + h.key_at + i * h.row, h.features, 0.0f);
        std::fill_n(by_value + h.key_value_at + i * h.value_row, h.values, 0.0f);
      }
    }
    for (i64 first = 0; first < h.queries; first += kBlock) {
      const i64 rows = std::min(kBlock, h.queries - first);
      const i64 at = h.at + first * h.row, value_at = h.value_at + first * h.value_row;
      multiply(k, a.query.data + at, h.row, rows, keys, scores, h.keys, false);
      multiply(k, by_output + value_at, h.value_row, rows, values, by_scores, h.keys, false);
      for (i64 i = 0; i < rows; ++i)
        k.softmax_grad({scores + i * h.keys, by_scores + i * h.keys, h.keys, a.output.data + value_at + i * h.value_row,
                        by_output + value_at + i * h.value_row, h.values, a.scale, a.sums[h.sum_at + first + i]});
      multiply(k, by_scores, h.keys, rows, back, by_query + at, h.row, false);
      i64 query_row, value_row;
      const float* by = filled(k, by_output + value_at, rows, h.values, h.value_row, copies, value_row);
      const float* query = filled(k, a.query.data + at, rows, h.features, h.row, copies + rows * value_row, query_row);
      multiply_turned(k, scores, h.keys, h.keys, rows, by, value_row, h.values, by_value + h.key_value_at, h.value_row,
                      first > 0);
      multiply_turned(k, by_scores, h.keys, h.keys, rows, query, query_row, h.features, by_key + h.key_at, h.row,
                      first > 0);
    }
  });
  return "";
}

}  // namespace hornbill
