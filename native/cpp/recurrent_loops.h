// One time step of an LSTM or a GRU on one row of units, over vectors; part of kernels.cpp, whose helpers it uses.

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

template <typename Access>
HB_INLINE void gru_vector(const Gru& t, ptrdiff_t at, int count) {
  float* held = t.held + at;
  Vec x[3], y[3];
  for (int i = 0; i < 3; ++i) {
    x[i] = Access::get(t.x + i * t.units + at, count);
    y[i] = Access::get(held + i * t.units, count) + Access::get(t.bias + i * t.units + at, count);
  }
  const Vec z = sigmoid(x[0] + y[0]), r = sigmoid(x[1] + y[1]), share = y[2], g = tanh(x[2] + r * share);
  Access::put(held, z, count), Access::put(held + t.units, r, count);
  Access::put(held + 2 * t.units, share, count), Access::put(held + 3 * t.units, g, count);
  Access::put(t.h + at, z * Access::get(t.h_before + at, count) + (1.0f - z) * g, count);
}

template <typename Access>
HB_INLINE void gru_grad_vector(const GruGrad& t, ptrdiff_t at, int count) {
  const float* held = t.held + at;
  const Vec z = Access::get(held, count), r = Access::get(held + t.units, count);
  const Vec share = Access::get(held + 2 * t.units, count), g = Access::get(held + 3 * t.units, count);
  const Vec dh = Access::get(t.by_h + at, count) + Access::get(t.by_output + at, count);
  const Vec dz = dh * (Access::get(t.h_before + at, count) - g) * z * (1.0f - z);
  const Vec dg = dh * (1.0f - z) * (1.0f - g * g), dr = dg * share * r * (1.0f - r);
  float *by_x = t.by_x + at, *by_y = t.by_y + at;
  Access::put(by_x, dz, count), Access::put(by_x + t.units, dr, count), Access::put(by_x + 2 * t.units, dg, count);
  Access::put(by_y, dz, count), Access::put(by_y + t.units, dr, count), Access::put(by_y + 2 * t.units, dg * r, count);
  Access::put(t.by_h + at, dh * z, count);
}

#define HB_OVER_UNITS(name, Step)                                              \
  void name(const Step& t) {                                                   \
    ptrdiff_t k = 0;                                                           \
    for (; k + W <= t.units; k += W) name##_vector<Whole>(t, k, W);            \
    if (k < t.units) name##_vector<Part>(t, k, static_cast<int>(t.units - k)); \
  }
HB_OVER_UNITS(lstm, Lstm)
HB_OVER_UNITS(lstm_grad, LstmGrad)
HB_OVER_UNITS(gru, Gru)
HB_OVER_UNITS(gru_grad, GruGrad)
#undef HB_OVER_UNITS
