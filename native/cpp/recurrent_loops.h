// One time step of an LSTM on one row of units, over vectors; part of kernels.cpp, whose vectors and helpers it uses.

HB_INLINE Vec sigmoid(Vec x) { return 1.0f / (2.0f + expm1(-x)); }

HB_INLINE Vec tanh(Vec x) {
  const Vec e = expm1(-2.0f * (x < 0.0f ? -x : x));
  const Vec size = -e / (2.0f + e);
  return x < 0.0f ? -size : size;
}

template <typename Access>
HB_INLINE void lstm_vector(const Lstm& t, ptrdiff_t at, int count) {
  float* gates = t.gates + at;
  const Vec i = sigmoid(Access::get(gates, count)), f = sigmoid(Access::get(gates + t.units, count));
  const Vec g = tanh(Access::get(gates + 2 * t.units, count)), o = sigmoid(Access::get(gates + 3 * t.units, count));
  const Vec c = f * Access::get(t.c_before + at, count) + i * g;
  Access::put(gates, i, count), Access::put(gates + t.units, f, count);
  Access::put(gates + 2 * t.units, g, count), Access::put(gates + 3 * t.units, o, count);
  Access::put(t.c + at, c, count);
  Access::put(t.h + at, o * tanh(c), count);
}

void lstm(const Lstm& t) {
  ptrdiff_t k = 0;
  for (; k + W <= t.units; k += W) lstm_vector<Whole>(t, k, W);
  if (k < t.units) lstm_vector<Part>(t, k, static_cast<int>(t.units - k));
}

template <typename Access>
HB_INLINE void lstm_grad_vector(const LstmGrad& t, ptrdiff_t at, int count) {
  const float* gates = t.gates + at;
  const Vec i = Access::get(gates, count), f = Access::get(gates + t.units, count);
  const Vec g = Access::get(gates + 2 * t.units, count), o = Access::get(gates + 3 * t.units, count);
  const Vec squashed = tanh(Access::get(t.c + at, count));
  const Vec dh = Access::get(t.by_h + at, count) + Access::get(t.by_output + at, count);
  const Vec dc = Access::get(t.by_c + at, count) + dh * o * (1.0f - squashed * squashed);
  float* d = t.by_gates + at;
  Access::put(d, dc * g * i * (1.0f - i), count);
  Access::put(d + t.units, dc * Access::get(t.c_before + at, count) * f * (1.0f - f), count);
  Access::put(d + 2 * t.units, dc * i * (1.0f - g * g), count);
  Access::put(d + 3 * t.units, dh * squashed * o * (1.0f - o), count);
  Access::put(t.by_c + at, dc * f, count);
}

void lstm_grad(const LstmGrad& t) {
  ptrdiff_t k = 0;
  for (; k + W <= t.units; k += W) lstm_grad_vector<Whole>(t, k, W);
  if (k < t.units) lstm_grad_vector<Part>(t, k, static_cast<int>(t.units - k));
}
