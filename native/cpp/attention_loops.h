// Softmax of a row of scores and its gradient; part of kernels.cpp, whose vectors and helpers it uses.

HB_INLINE float largest(Vec v) {
  float best = v[0];
  for (int i = 1; i < W; ++i) best = v[i] > best ? v[i] : best;
  return best;
}
HB_INLINE float total(Vec v) {
  float sum = 0;
  for (int i = 0; i < W; ++i) sum += v[i];
  return sum;
}

// Scores become their shares; returns the log of the sum of exp(scale * score).
float softmax(float* scores, ptrdiff_t count, float scale) {
  const ptrdiff_t whole = count - count % W;
  float best = scores[0] * scale;
  Vec most = Vec{} + best;
  for (ptrdiff_t i = 0; i < whole; i += W) {
    const Vec v = load(scores + i) * scale;
    most = v > most ? v : most;
  }
  best = largest(most);
  for (ptrdiff_t i = whole; i < count; ++i) best = scores[i] * scale > best ? scores[i] * scale : best;
  Vec sums = {};
  for (ptrdiff_t i = 0; i < whole; i += W) {
    const Vec e = exp(load(scores + i) * scale - best);
    store(scores + i, e);
    sums += e;
  }
  float sum = total(sums);
  if (whole < count) {
    const int left = static_cast<int>(count - whole);
    const Vec e = exp(load_part(scores + whole, left) * scale - best);
    store_part(scores + whole, e, left);
    for (int i = 0; i < left; ++i) sum += e[i];
  }
  const float share = 1.0f / sum;
  for (ptrdiff_t i = 0; i < whole; i += W) store(scores + i, load(scores + i) * share);
  for (ptrdiff_t i = whole; i < count; ++i) scores[i] *= share;
  return best + __builtin_logf(sum);
}

// Scores become their shares, and gradients by shares those by scores. The mean is over the very shares and gradients
// that it is taken from, and divided by what the shares sum to but for rounding: where one key has all, nothing is left.
void softmax_grad(const SoftmaxGrad& t) {
  const ptrdiff_t whole = t.count - t.count % W;
  const int left = static_cast<int>(t.count - whole);
  Vec weighted = {}, shares = {};
  for (ptrdiff_t i = 0; i < whole; i += W) {
    const Vec share = exp(load(t.scores + i) * t.scale - t.sum);
    store(t.scores + i, share);
    weighted += share * load(t.by + i);
    shares += share;
  }
  float mean = total(weighted), sum = total(shares);
  if (left > 0) {
    store_part(t.scores + whole, exp(load_part(t.scores + whole, left) * t.scale - t.sum), left);
    for (ptrdiff_t i = whole; i < t.count; ++i) mean += t.scores[i] * t.by[i], sum += t.scores[i];
  }
  mean /= sum;
  for (ptrdiff_t i = 0; i < whole; i += W)
    store(t.by + i, load(t.scores + i) * (load(t.by + i) - mean) * t.by_scale);
  for (ptrdiff_t i = whole; i < t.count; ++i) t.by[i] = t.scores[i] * (t.by[i] - mean) * t.by_scale;
}
