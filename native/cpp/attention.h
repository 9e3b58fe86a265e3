// Attention of one head after the other, without ever holding the scores of more than a few rows.
#pragma once

#include <string>

#include "driver.h"
#include "kernels.h"

namespace hornbill {

// Which query sees which key, (batch, heads, query positions, key positions) in axes of that size or of 1; `data` is
// null where all see all. A query that sees none gets the plain mean of all values.
struct Mask {
  const bool* data;
  int64_t size[4];
};

// Arrays (batch, positions, heads, features), `output` that or the gradient by it; `sums` is (batch, heads, query positions). Neighbouring query heads share
// a head of keys and values where there are fewer of these.
struct Attention {
  Array query, key, value, output;
  float* sums;  // log of the sum of exp(scale * score) over the keys
  float scale;
  bool causal;  // whether query t sees keys 0 to t only
  Mask mask;
};

// output = softmax(scale * query . key) @ value, over the keys that a query sees
std::string attention(const Kernels&, Threads, const Attention&);

// From the gradient by the output those by query, key and value.
std::string attention_grad(const Kernels&, Threads, const Attention&, float* by_query, float* by_key, float* by_value);

}  // namespace hornbill
