#include "attention.h"

#include <algorithm>

#include "matrix.h"
#include "tasks.h"

namespace hornbill {
namespace {

constexpr i64 kBlock = 56;  // query rows whose scores are held at once

constexpr float kUnseen = -2e38f;  // score of a key that a query does not see, beyond all others

std::string wrong_with(const Attention& a) {
  const i64 *q = a.query.size, *k = a.key.size, *v = a.value.size, *o = a.output.size;
  for (i64 size : {q[0], q[1], q[2], q[3], k[1], k[2], v[3]})
    if (size < 0 || size > (i64{1} << 30)) return "a size is negative or too large";
  if (k[0] != q[0] || v[0] != q[0] || o[0] != q[0]) return "batches differ";
  if (v[2] != k[2] || o[2] != q[2]) return "heads differ";
  if (q[2] > 0 && (k[2] == 0 || q[2] % k[2] != 0)) return "the query heads are no multiple of the key heads";
  if (k[3] != q[3]) return "features of query and key differ";
  if (v[1] != k[1]) return "positions of key and value differ";
  if (o[1] != q[1] || o[3] != v[3]) return "the output has another shape";
  if (k[1] == 0) return "there are no keys";
  const i64 scores[] = {q[0], q[2], q[1], k[1]};
  for (int i = 0; a.mask.data && i < 4; ++i)
    if (a.mask.size[i] != 1 && a.mask.size[i] != scores[i]) return "the mask does not stretch to the scores";
  return "";
}

// What one head of keys of one sample sees; `queries_of` turns to a head of queries.
struct Head {
  i64 queries, keys, features, values, row, value_row, key_row, key_value_row;
  i64 at = 0, value_at = 0, key_at, key_value_at, sum_at = 0;
  i64 n, group, first_head, heads, mask_row = 0, mask_step = 0;
  const bool* mask = nullptr;
  Head(const Attention& a, i64 index) {
    const i64 key_heads = a.key.size[2], key_head = index % key_heads;
    heads = a.query.size[2], group = heads / key_heads, first_head = key_head * group, n = index / key_heads;
    queries = a.query.size[1], keys = a.key.size[1], features = a.query.size[3], values = a.value.size[3];
    row = heads * features, value_row = heads * values;
    key_row = key_heads * features, key_value_row = key_heads * values;
    key_at = n * keys * key_row + key_head * features, key_value_at = n * keys * key_value_row + key_head * values;
  }
  void queries_of(const Attention& a, i64 member) {
    const i64 head = first_head + member, *size = a.mask.size;
    at = n * queries * row + head * features, value_at = n * queries * value_row + head * values;
    sum_at = (n * heads + head) * queries;
    if (!a.mask.data) return;
    mask_step = size[3] > 1, mask_row = size[2] > 1 ? size[3] : 0;
    mask = a.mask.data + ((size[0] > 1 ? n * size[1] : 0) + (size[1] > 1 ? head : 0)) * size[2] * size[3];
  }
};

// Which keys some queries see: those at the front, and of these what the mask lets through.
struct Seen {
  i64 keys;             // from the front, that any of the queries sees
  i64 each[kBlock];     // the same of one query
  bool blind[kBlock];   // whether the query sees none
  Seen(const Attention& a, const Head& h, i64 first, i64 rows) {
    keys = a.causal ? std::min(h.keys, first + rows) : h.keys;
    for (i64 i = 0; i < rows; ++i) {
      each[i] = a.causal ? std::min(h.keys, first + i + 1) : h.keys;
      blind[i] = h.mask != nullptr;
      const bool* mask = h.mask + (blind[i] ? (first + i) * h.mask_row : 0);
      for (i64 j = 0; blind[i] && j < each[i]; ++j) blind[i] = !mask[j * h.mask_step];
      if (blind[i] && h.mask) each[i] = keys = h.keys;
    }
  }
};

// Scales the scores of a query and sinks those of keys that it does not see.
void mask_scores(const Head& h, i64 first, i64 i, float* scores, i64 count, float scale) {
  const bool* mask = h.mask + (first + i) * h.mask_row;
  for (i64 j = 0; j < count; ++j) scores[j] = mask[j * h.mask_step] ? scores[j] * scale : kUnseen;
}

float shares(const Kernels& k, const Attention& a, const Head& h, const Seen& seen, i64 first, i64 i, float* scores) {
  const i64 count = seen.each[i];
  std::fill(scores + count, scores + seen.keys, 0.0f);
  if (!h.mask) return k.softmax(scores, count, a.scale);
  if (seen.blind[i]) {
    std::fill_n(scores, count, 0.0f);
  } else {
    mask_scores(h, first, i, scores, count, a.scale);
  }
  return k.softmax(scores, count, 1.0f);
}

void shares_grad(const Kernels& k, const Head& h, const Seen& seen, i64 first, i64 i, SoftmaxGrad t) {
  t.count = seen.each[i];
  std::fill(t.scores + t.count, t.scores + seen.keys, 0.0f);
  std::fill(t.by + t.count, t.by + seen.keys, 0.0f);
  if (seen.blind[i]) {
    std::fill_n(t.scores, t.count, 1.0f / static_cast<float>(t.count));
    std::fill_n(t.by, t.count, 0.0f);
    return;
  }
  if (h.mask) {
    mask_scores(h, first, i, t.scores, t.count, t.scale);
    t.scale = 1.0f;
  }
  k.softmax_grad(t);
}

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
  parallel(threads, a.query.size[0] * a.key.size[2], [&](i64 index) {
    Head h(a, index);
    const i64 turned = packed_floats(k, h.features, h.keys), plain = packed_floats(k, h.keys, h.values);
    float* room = memory().weights.room(turned + plain);
    const Packed keys = pack_matrix(k, a.key.data + h.key_at, h.features, h.keys, 1, h.key_row, room);
    const Packed values =
        pack_matrix(k, a.value.data + h.key_value_at, h.keys, h.values, h.key_value_row, 1, room + turned);
    float* scores = memory().input.room(kBlock * h.keys);
    for (i64 member = 0; member < h.group; ++member) {
      h.queries_of(a, member);
      for (i64 first = 0; first < h.queries; first += kBlock) {
        const i64 rows = std::min(kBlock, h.queries - first);
        const Seen seen(a, h, first, rows);
        multiply(k, a.query.data + h.at + first * h.row, h.row, rows, first_columns(keys, seen.keys), scores, h.keys,
                 false);
        float* output = a.output.data + h.value_at + first * h.value_row;
        for (i64 i = 0; i < rows; ++i)
          a.sums[h.sum_at + first + i] = shares(k, a, h, seen, first, i, scores + i * h.keys);
        multiply(k, scores, h.keys, rows, first_rows(values, seen.keys), output, h.value_row, false);
      }
    }
  });
  return "";
}

std::string attention_grad(const Kernels& k, Threads threads, const Attention& a, float* by_query, float* by_key, float* by_value) {
  const std::string wrong = wrong_with(a);
  if (!wrong.empty()) return wrong;
  parallel(threads, a.query.size[0] * a.key.size[2], [&](i64 index) {
    Head h(a, index);
    const i64 sizes[] = {packed_floats(k, h.features, h.keys), packed_floats(k, h.values, h.keys),
                         packed_floats(k, h.keys, h.features)};
    float* room = memory().weights.room(sizes[0] + sizes[1] + sizes[2]);
    const Packed keys = pack_matrix(k, a.key.data + h.key_at, h.features, h.keys, 1, h.key_row, room);
    const Packed values =
        pack_matrix(k, a.value.data + h.key_value_at, h.values, h.keys, 1, h.key_value_row, room + sizes[0]);
    const Packed back =
        pack_matrix(k, a.key.data + h.key_at, h.keys, h.features, h.key_row, 1, room + sizes[0] + sizes[1]);
    float* scores = memory().input.room(2 * kBlock * h.keys);
    float* by_scores = scores + kBlock * h.keys;
    const i64 wide = 2 * k.width;
    float* copies = memory().output.room(kBlock * (h.features + h.values + 2 * wide));
    for (i64 i = 0; i < h.keys; ++i) {
      std::fill_n(by_key + h.key_at + i * h.key_row, h.features, 0.0f);
      std::fill_n(by_value + h.key_value_at + i * h.key_value_row, h.values, 0.0f);
    }
    for (i64 member = 0; member < h.group; ++member) {
      h.queries_of(a, member);
      for (i64 first = 0; first < h.queries; first += kBlock) {
        const i64 rows = std::min(kBlock, h.queries - first);
        const i64 at = h.at + first * h.row, value_at = h.value_at + first * h.value_row;
        const Seen seen(a, h, first, rows);
        const float* by_output = a.output.data + value_at;
        multiply(k, a.query.data + at, h.row, rows, first_columns(keys, seen.keys), scores, h.keys, false);
        multiply(k, by_output, h.value_row, rows, first_columns(values, seen.keys), by_scores, h.keys, false);
        for (i64 i = 0; i < rows; ++i)
          shares_grad(k, h, seen, first, i,
                      {scores + i * h.keys, by_scores + i * h.keys, h.keys, a.scale, a.sums[h.sum_at + first + i],
                       a.scale});
        multiply(k, by_scores, h.keys, rows, first_rows(back, seen.keys), by_query + at, h.row, false);
        i64 query_row, value_row;
        const float* by = filled(k, by_output, rows, h.values, h.value_row, copies, value_row);
        const float* query =
            filled(k, a.query.data + at, rows, h.features, h.row, copies + rows * value_row, query_row);
        multiply_turned(k, scores, h.keys, seen.keys, rows, by, value_row, h.values, by_value + h.key_value_at,
                        h.key_value_row, true);
        multiply_turned(k, by_scores, h.keys, seen.keys, rows, query, query_row, h.features, by_key + h.key_at,
                        h.key_row, true);
      }
    }
  });
  return "";
}

}  // namespace hornbill
