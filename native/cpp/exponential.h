// exp over vectors; part of kernels.cpp, whose vectors it uses.

// x = n ln 2 + r; gives exp(r) - 1 by Taylor's series and 2^n.
HB_INLINE void reduce(Vec x, Vec& p, Vec& power) {
  const float magic = 12582912.0f;  // 1.5 * 2^23: what is added to it is rounded to a whole number
  x = x > 88.0f ? Vec{} + 88.0f : x;
  x = x < -87.0f ? Vec{} - 87.0f : x;
  const Vec shifted = x * 1.44269504f + magic;
  const Vec n = shifted - magic;
  const Vec r = (x - n * 0.693145751953125f) - n * 1.42860677e-6f;
  p = r * (1.0f / 5040) + 1.0f / 720;
  p = p * r + 1.0f / 120;
  p = p * r + 1.0f / 24;
  p = p * r + 1.0f / 6;
  p = p * r + 0.5f;
  p = p * r * r + r;
  const Ints bits = ((Ints)shifted - 0x4B400000 + 127) << 23;
  power = (Vec)bits;
}

// With an error of 2 units in the last place.
HB_INLINE Vec expm1(Vec x) {
  Vec p, power;
  reduce(x, p, power);
  return p * power + (power - 1.0f);
}

HB_INLINE Vec exp(Vec x) {
  Vec p, power;
  reduce(x, p, power);
  return p * power + power;
}
