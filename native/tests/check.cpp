// Every kernel of every instruction set against plain loops in double precision, over random shapes, and bad calls.
//
// `check SEED ROUNDS` prints the largest error, relative to the largest value, and exits with 1 if one is too large. It
// needs neither Python nor XLA, so it runs under AddressSanitizer and UBSan (see test_sanitizers.py).
#include <cmath>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <memory>
#include <mutex>
#include <random>
#include <string>
#include <thread>
#include <vector>

#include "../cpp/attention.h"
#include "../cpp/depthwise.h"
#include "../cpp/driver.h"
#include "../cpp/moments.h"
#include "../cpp/optimizer.h"
#include "../cpp/recurrent.h"

using namespace hornbill;
using i64 = int64_t;

namespace {

std::mt19937 room;
i64 any(i64 low, i64 high) { return std::uniform_int_distribution<i64>(low, high)(room); }
template <size_t N>
i64 one_of(const i64 (&values)[N]) {
  return values[any(0, N - 1)];
}

double number(float value) { return static_cast<double>(value); }
double number(Half half) {
  const uint32_t bits = static_cast<uint32_t>(half) << 16;
  float value;
  std::memcpy(&value, &bits, sizeof value);
  return static_cast<double>(value);
}
void set(float& to, float value) { to = value; }
void set(Half& to, float value) {  // towards zero
  uint32_t bits;
  std::memcpy(&bits, &value, sizeof bits);
  to = static_cast<Half>(bits >> 16);
}

// An array of its own block of memory, so that a read or write beyond it is seen.
template <typename T>
struct HeldOf {
  std::unique_ptr<T[]> data;
  ArrayOf<T> array;
  HeldOf(i64 a, i64 b, i64 c, i64 d, float value = NAN) : data(new T[static_cast<size_t>(a * b * c * d)]) {
    array = {data.get(), {a, b, c, d}};
    for (i64 i = 0; i < size(); ++i) set(data[static_cast<size_t>(i)], value);
  }
  i64 size() const { return array.size[0] * array.size[1] * array.size[2] * array.size[3]; }
  double operator[](size_t i) const { return number(data[i]); }
  void fill() {
    std::normal_distribution<float> normal;
    for (i64 i = 0; i < size(); ++i) set(data[static_cast<size_t>(i)], normal(room));
  }
  void fill_whole() {  // small whole numbers, whose sums are exact in both types
    for (i64 i = 0; i < size(); ++i) set(data[static_cast<size_t>(i)], static_cast<float>(any(-6, 6)));
  }
  size_t at(i64 a, i64 b, i64 c, i64 d) const {
    return static_cast<size_t>(((a * array.size[1] + b) * array.size[2] + c) * array.size[3] + d);
  }
};
using Held = HeldOf<float>;

// Calls `f(index in, index kernel, index out)` for every product of the convolution.
template <typename T, typename F>
void products(const Window& v, const HeldOf<T>& in, const HeldOf<T>& kernel, const HeldOf<T>& out, F f) {
  const i64 *x = in.array.size, *w = kernel.array.size, *y = out.array.size;
  for (i64 n = 0; n < y[0]; ++n)
    for (i64 oy = 0; oy < y[1]; ++oy)
      for (i64 ox = 0; ox < y[2]; ++ox)
        for (i64 i = 0; i < w[0]; ++i)
          for (i64 j = 0; j < w[1]; ++j) {
            const i64 iy = oy * v.stride_h + i * v.dilation_h - v.top, ix = ox * v.stride_w + j * v.dilation_w - v.left;
            if (iy < 0 || iy >= x[1] || ix < 0 || ix >= x[2]) continue;
            for (i64 o = 0; o < w[3]; ++o)
              for (i64 c = 0; c < w[2]; ++c)
                f(in.at(n, iy, ix, o / (w[3] / v.groups) * w[2] + c), kernel.at(i, j, c, o), out.at(n, oy, ox, o));
          }
}

// The largest error relative to the largest value; in bfloat16, beyond that of rounding to the nearest once.
template <typename T>
double error(const HeldOf<T>& got, const std::vector<double>& wanted) {
  constexpr double rounding = sizeof(T) == sizeof(Half) ? 1.0 / 256 : 0;
  double most = 1, worst = 0;  // sums of normal numbers: a small one is left over from cancelling
  for (double value : wanted) most = std::max(most, std::fabs(value));
  for (size_t i = 0; i < wanted.size(); ++i) {
    const double off = std::fabs(got[i] - wanted[i]) - rounding * std::fabs(wanted[i]);
    if (!(off <= worst)) worst = off;  // also if it is no number
  }
  return worst / most;
}

struct Case {
  Window v;
  i64 n, h, w, ci, kh, kw, co, oh, ow;
  std::string text() const {
    char line[200];
    std::snprintf(line, sizeof line, "in (%ld, %ld, %ld, %ld) kernel (%ld, %ld) filters %ld out (%ld, %ld) strides %ld %ld"
                  " dilation %ld %ld pads %ld %ld groups %ld", long(n), long(h), long(w), long(ci), long(kh), long(kw),
                  long(co), long(oh), long(ow), long(v.stride_h), long(v.stride_w), long(v.dilation_h),
                  long(v.dilation_w), long(v.top), long(v.left), long(v.groups));
    return line;
  }
};

Case random_case() {
  Case c;
  c.v.groups = one_of({1, 1, 1, 2, 3});
  c.v.stride_h = any(1, 3), c.v.stride_w = any(1, 3);
  c.v.dilation_h = c.v.stride_h > 1 ? 1 : any(1, 3), c.v.dilation_w = c.v.stride_w > 1 ? 1 : any(1, 3);
  c.kh = one_of({1, 2, 3, 4, 7}), c.kw = one_of({1, 2, 3, 4, 7}), c.n = any(1, 3);
  const i64 span_h = (c.kh - 1) * c.v.dilation_h + 1, span_w = (c.kw - 1) * c.v.dilation_w + 1;
  c.h = any(1, 12), c.w = one_of({any(1, 6), any(7, 20), any(20, 40)});
  c.v.top = any(0, span_h - 1), c.v.left = any(0, span_w - 1);
  // From one window to the last that still begins inside.
  c.oh = any(1, (c.h + c.v.top - 1) / c.v.stride_h + 1), c.ow = any(1, (c.w + c.v.left - 1) / c.v.stride_w + 1);
  c.ci = one_of({1, 2, 3, 8, 16, 33, 64, 70, 130}), c.co = one_of({1, 2, 7, 16, 17, 32, 40, 48, 64, 70, 100});
  if (any(0, 2) == 0) {  // what Winograd's algorithm takes
    c.v.stride_h = c.v.stride_w = c.v.dilation_h = c.v.dilation_w = 1, c.kh = c.kw = 3;
    c.v.top = any(0, 2), c.v.left = any(0, 2), c.oh = any(1, c.h + c.v.top), c.ow = any(1, c.w + c.v.left);
  }
  if (c.ci * c.co * c.kh * c.kw * c.oh * c.ow > 2000000) c.ci = 3;
  return c;
}

template <typename T>
double check_case(const Kernels& k, const Threads& threads, const Case& c) {
  using Held = HeldOf<T>;
  const char* type = sizeof(T) == sizeof(Half) ? "bfloat16" : "float32";
  Held in(c.n, c.h, c.w, c.ci * c.v.groups), kernel(c.kh, c.kw, c.ci, c.co * c.v.groups);
  Held out(c.n, c.oh, c.ow, c.co * c.v.groups), bias(1, 1, 1, c.co * c.v.groups);
  double worst = 0;
  const auto sums = [](const Held& held) { return std::vector<double>(static_cast<size_t>(held.size())); };
  const auto note = [&](const char* name, const std::string& wrong, double off) {
    if (!wrong.empty() || !(off < 1e-5))
      std::printf("%s %s %s: %s error %g: %s\n", k.name, type, name, c.text().c_str(), off, wrong.c_str());
    worst = (wrong.empty() && off <= 1) ? std::max(worst, off) : 1;
  };
  in.fill(), kernel.fill(), bias.fill();
  std::vector<double> wanted = sums(out);
  products(c.v, in, kernel, out, [&](size_t i, size_t w, size_t o) { wanted[o] += in[i] * kernel[w]; });
  std::string wrong = conv(k, threads, c.v, in.array, kernel.array, nullptr, kNone, out.array);
  note("conv", wrong, error(out, wanted));
  for (size_t i = 0; i < wanted.size(); ++i) {
    wanted[i] += bias[i % static_cast<size_t>(bias.size())];
    if (wanted[i] < 0) wanted[i] = 0;
  }
  wrong = conv(k, threads, c.v, in.array, kernel.array, bias.data.get(), kRelu, out.array);
  note("conv with bias and relu", wrong, error(out, wanted));

  out.fill();
  wanted = sums(in);
  products(c.v, in, kernel, out, [&](size_t i, size_t w, size_t o) { wanted[i] += out[o] * kernel[w]; });
  Held by_input(c.n, c.h, c.w, c.ci * c.v.groups);
  wrong = conv_input_grad(k, threads, c.v, out.array, kernel.array, by_input.array);
  note("gradient by the input", wrong, error(by_input, wanted));

  wanted = sums(kernel);
  products(c.v, in, kernel, out, [&](size_t i, size_t w, size_t o) { wanted[w] += out[o] * in[i]; });
  Held by_kernel(c.kh, c.kw, c.ci, c.co * c.v.groups), again(c.kh, c.kw, c.ci, c.co * c.v.groups);
  wrong = conv_weight_grad(k, threads, c.v, in.array, out.array, by_kernel.array);
  note("gradient by the kernel", wrong, error(by_kernel, wanted));
  conv_weight_grad(k, threads, c.v, in.array, out.array, again.array);
  for (i64 i = 0; i < again.size(); ++i)
    if (again.data[static_cast<size_t>(i)] != by_kernel.data[static_cast<size_t>(i)]) return 1;
  return worst;
}

// A depthwise convolution and its gradients: the same sums with every channel by itself.
double check_depthwise(const Kernels& k, const Threads& threads) {
  Case c = random_case();
  c.v.groups = 1, c.ci = c.co = one_of({1, 3, 8, 16, 19, 33, 64, 100});
  if (any(0, 2) == 0) c.kh = std::max(c.kh, any(4, 7)), c.kw = std::max(c.kw, any(4, 7));
  Held in(c.n, c.h, c.w, c.ci), kernel(c.kh, c.kw, c.ci, 1), out(c.n, c.oh, c.ow, c.ci);
  const auto cells = [&](auto f) {
    for (i64 n = 0; n < c.n; ++n)
      for (i64 y = 0; y < c.oh; ++y)
        for (i64 x = 0; x < c.ow; ++x)
          for (i64 i = 0; i < c.kh; ++i)
            for (i64 j = 0; j < c.kw; ++j) {
              const i64 iy = y * c.v.stride_h + i * c.v.dilation_h - c.v.top;
              const i64 ix = x * c.v.stride_w + j * c.v.dilation_w - c.v.left;
              if (iy < 0 || iy >= c.h || ix < 0 || ix >= c.w) continue;
              for (i64 d = 0; d < c.ci; ++d) f(in.at(n, iy, ix, d), kernel.at(i, j, d, 0), out.at(n, y, x, d));
            }
  };
  double worst = 0;
  const auto note = [&](const char* name, const std::string& wrong, double off) {
    if (!wrong.empty() || !(off < 1e-5))
      std::printf("%s depthwise %s: %s error %g: %s\n", k.name, name, c.text().c_str(), off, wrong.c_str());
    worst = (wrong.empty() && off <= 1) ? std::max(worst, off) : 1;
  };
  in.fill(), kernel.fill();
  std::vector<double> wanted(static_cast<size_t>(out.size()));
  cells([&](size_t i, size_t w, size_t o) { wanted[o] += in[i] * kernel[w]; });
  std::string wrong = depthwise(k, threads, c.v, in.array, kernel.array, out.array);
  note("forward", wrong, error(out, wanted));

  out.fill();
  wanted.assign(static_cast<size_t>(in.size()), 0);
  cells([&](size_t i, size_t w, size_t o) { wanted[i] += out[o] * kernel[w]; });
  Held by_input(c.n, c.h, c.w, c.ci);
  wrong = depthwise_input_grad(k, threads, c.v, out.array, kernel.array, by_input.array);
  note("gradient by the input", wrong, error(by_input, wanted));

  wanted.assign(static_cast<size_t>(kernel.size()), 0);
  cells([&](size_t i, size_t w, size_t o) { wanted[w] += out[o] * in[i]; });
  Held by_kernel(c.kh, c.kw, c.ci, 1), again(c.kh, c.kw, c.ci, 1);
  wrong = depthwise_weight_grad(k, threads, c.v, in.array, out.array, by_kernel.array);
  note("gradient by the kernel", wrong, error(by_kernel, wanted));
  depthwise_weight_grad(k, threads, c.v, in.array, out.array, again.array);
  return std::equal(again.data.get(), again.data.get() + again.size(), by_kernel.data.get()) ? worst : 1;
}

template <typename T>
double check_pool(const Kernels& k, const Threads& threads) {
  using Held = HeldOf<T>;
  const i64 pool_h = any(1, 3), pool_w = any(1, 4), h = any(1, 12), w = any(1, 20), n = any(1, 3);
  const i64 channels = one_of({1, 3, 16, 19, 40, 70});
  Window v;
  v.stride_h = any(1, 4), v.stride_w = any(1, 4), v.top = any(0, pool_h - 1), v.left = any(0, pool_w - 1);
  const i64 oh = any(1, (h + v.top - 1) / v.stride_h + 1), ow = any(1, (w + v.left - 1) / v.stride_w + 1);
  Held in(n, h, w, channels), out(n, oh, ow, channels), grad(n, h, w, channels);
  in.fill_whole();
  std::vector<double> wanted(static_cast<size_t>(out.size())), by_input(static_cast<size_t>(in.size()));
  std::vector<size_t> from(wanted.size());
  for (i64 b = 0; b < n; ++b)
    for (i64 y = 0; y < oh; ++y)
      for (i64 x = 0; x < ow; ++x)
        for (i64 c = 0; c < channels; ++c) {
          double best = -INFINITY;
          for (i64 i = 0; i < pool_h; ++i)
            for (i64 j = 0; j < pool_w; ++j) {
              const i64 iy = y * v.stride_h + i - v.top, ix = x * v.stride_w + j - v.left;
              if (iy < 0 || iy >= h || ix < 0 || ix >= w || !(in[in.at(b, iy, ix, c)] > best)) continue;
              best = in[in.at(b, iy, ix, c)];
              from[out.at(b, y, x, c)] = in.at(b, iy, ix, c);
            }
          wanted[out.at(b, y, x, c)] = best;
        }
  std::unique_ptr<uint8_t[]> place(new uint8_t[wanted.size()]);
  const std::string first = max_pool(k, threads, v, pool_h, pool_w, in.array, out.array, place.get());
  double worst = error(out, wanted);
  out.fill_whole();
  for (size_t i = 0; i < wanted.size(); ++i) by_input[from[i]] += out[i];
  const std::string second = max_pool_grad(k, threads, v, pool_h, pool_w, out.array, place.get(), grad.array);
  worst = std::max(worst, error(grad, by_input));
  if (!first.empty() || !second.empty() || !(worst < 1e-5))
    std::printf("%s max_pool: error %g: %s %s\n", k.name, worst, first.c_str(), second.c_str());
  return first.empty() && second.empty() ? worst : 1;
}

// The gradient behind a relu, exactly, and its sums.
double check_relu(const Kernels& k, const Threads& threads) {
  const i64 pixels = any(0, 900), channels = one_of({1, 3, 16, 33, 70});
  HeldOf<Half> gradient(1, 1, pixels, channels), outputs(1, 1, pixels, channels), result(1, 1, pixels, channels);
  HeldOf<Half> bias(1, 1, 1, channels);
  gradient.fill(), outputs.fill_whole();
  std::vector<double> wanted(static_cast<size_t>(gradient.size())), sums(static_cast<size_t>(channels));
  for (size_t i = 0; i < wanted.size(); ++i) {
    wanted[i] = outputs[i] > 0 ? gradient[i] : 0;
    sums[i % sums.size()] += wanted[i];
  }
  const std::string wrong = relu_grad(k, threads, pixels, channels, gradient.data.get(), outputs.data.get(),
                                      result.data.get(), bias.data.get());
  double worst = std::max(error(bias, sums), wrong.empty() ? 0.0 : 1.0);
  for (size_t i = 0; i < wanted.size(); ++i)
    if (result[i] != wanted[i]) worst = 1;
  if (!(worst < 1e-5)) std::printf("%s relu_grad: error %g: %s\n", k.name, worst, wrong.c_str());
  return worst;
}

// Kernels so large that threads share their channels.
Case large_case() {
  Case c = {};
  c.n = 2, c.h = c.oh = any(2, 5), c.w = c.ow = any(2, 5), c.ci = 130, c.co = 290, c.kh = c.kw = 3, c.v.top = c.v.left = 1;
  return c;
}

// One step for arrays of several sizes, new values in the place of old ones.
double check_adam(const Kernels& k, const Threads& threads) {
  double worst = 0;
  std::vector<Held> held;
  for (i64 size : {i64{1}, any(2, 50), any(1000, 5000), any(30000, 70000)}) {
    for (int j = 0; j < 4; ++j) held.emplace_back(1, 1, 1, size), held.back().fill();
    for (i64 i = 0; i < size; ++i) held.back().data[static_cast<size_t>(i)] *= held.back().data[static_cast<size_t>(i)];
  }
  std::vector<AdamArrays> arrays;
  std::vector<double> wanted;
  for (size_t i = 0; i < held.size(); i += 4) {
    float *p = held[i].data.get(), *g = held[i + 1].data.get(), *m = held[i + 2].data.get(), *v = held[i + 3].data.get();
    arrays.push_back({p, g, m, v, p, m, v, held[i].size()});
    for (i64 n = 0; n < held[i].size(); ++n) {
      const double first = m[n] + (double(g[n]) - m[n]) * 0.1, second = v[n] + (double(g[n]) * g[n] - v[n]) * 0.01;
      wanted.insert(wanted.end(), {p[n] - first * 0.02 / (std::sqrt(second) + 1e-3), first, second});
    }
  }
  adam(k, threads, arrays, 0.02f, 0.1f, 0.01f, 1e-3f);
  size_t at = 0;
  for (const AdamArrays& a : arrays)
    for (i64 n = 0; n < a.size; ++n)
      for (float got : {a.new_p[n], a.new_m[n], a.new_v[n]}) {
        const double off = std::fabs(got - wanted[at]) / std::max(1.0, std::fabs(wanted[at]));
        worst = off <= worst ? worst : off, ++at;
      }
  if (!(worst < 1e-5)) std::printf("%s adam: error %g\n", k.name, worst);
  return worst;
}

// Means, variances and sums of columns, far from zero too.
double check_moments(const Kernels& k, const Threads& threads) {
  const i64 rows = one_of({1, 2, 5, 300, 5000}), channels = one_of({1, 3, 16, 19, 64, 70, 300});
  const double away = one_of({0, 1, 1000});
  Held x(1, 1, rows, channels), a(1, 1, rows, channels), mean(1, 1, 1, channels), variance(1, 1, 1, channels);
  Held sum(1, 1, 1, channels), product(1, 1, 1, channels);
  x.fill(), a.fill();
  for (i64 i = 0; i < x.size(); ++i) x.data[static_cast<size_t>(i)] += static_cast<float>(away);
  std::vector<double> means(static_cast<size_t>(channels)), squares(means), sums(means), products(means);
  const auto cells = [&](auto f) {
    for (i64 i = 0; i < x.size(); ++i) f(static_cast<size_t>(i), static_cast<size_t>(i % channels));
  };
  cells([&](size_t i, size_t c) { means[c] += x[i] / static_cast<double>(rows); });
  cells([&](size_t i, size_t c) { squares[c] += (x[i] - means[c]) * (x[i] - means[c]) / static_cast<double>(rows); });
  const std::string first = moments(k, threads, {x.data.get(), rows, channels}, mean.data.get(), variance.data.get());
  double worst = std::max(error(mean, means), error(variance, squares));
  cells([&](size_t i, size_t c) { sums[c] += a[i], products[c] += a[i] * (x[i] - mean[c]); });
  const std::string second = moments_grad(k, threads, {a.data.get(), rows, channels}, {x.data.get(), rows, channels},
                                          mean.data.get(), sum.data.get(), product.data.get());
  worst = std::max({worst, error(sum, sums), error(product, products)});
  if (!first.empty() || !second.empty() || !(worst < 1e-5))
    std::printf("%s moments (%ld, %ld) from %g: error %g: %s %s\n", k.name, long(rows), long(channels), away, worst,
                first.c_str(), second.c_str());
  return first.empty() && second.empty() ? worst : 1;
}

#include "check_recurrent.h"

// Attention and its gradients, against the definition in double precision.
double check_attention(const Kernels& k, const Threads& threads) {
  const i64 n = any(1, 2), shared = any(1, 3), group = any(1, 3), heads = shared * group;
  const i64 t = any(1, 120), s = any(1, 70), d = any(1, 40), e = any(1, 40);
  const double scale = 0.5 / std::sqrt(static_cast<double>(d));
  Held q(n, t, heads, d), key(n, s, shared, d), v(n, s, shared, e), out(n, t, heads, e), by(n, t, heads, e),
      by_q(n, t, heads, d), by_k(n, s, shared, d), by_v(n, s, shared, e), sums(1, n, heads, t);
  for (Held* filled : {&q, &key, &v, &by}) filled->fill();
  const bool causal = any(0, 1) == 1;
  const i64 mask_size[] = {any(0, 1) ? n : 1, any(0, 1) ? heads : 1, any(0, 1) ? t : 1, any(0, 1) ? s : 1};
  const i64 masked = any(0, 1) * mask_size[0] * mask_size[1] * mask_size[2] * mask_size[3], rare = any(1, 30);
  const std::unique_ptr<bool[]> mask(masked ? new bool[static_cast<size_t>(masked)] : nullptr);
  for (i64 i = 0; i < masked; ++i) mask[static_cast<size_t>(i)] = any(0, rare) == 0;
  const auto sees = [&](i64 b, i64 h, i64 i, i64 j) {
    if (causal && j > i) return false;
    const i64 at[] = {b, h, i, j};
    i64 place = 0;
    for (int axis = 0; axis < 4; ++axis) place = place * mask_size[axis] + (mask_size[axis] > 1 ? at[axis] : 0);
    return !masked || mask[static_cast<size_t>(place)];
  };
  std::vector<double> y(static_cast<size_t>(out.size())), dq(static_cast<size_t>(q.size())),
      dk(static_cast<size_t>(key.size())), dv(static_cast<size_t>(v.size())), share(static_cast<size_t>(s)),
      slope(share);
  for (i64 b = 0; b < n; ++b)
    for (i64 h = 0; h < heads; ++h)
      for (i64 i = 0; i < t; ++i) {
        double sum = 0, mean = 0;
        bool blind = true;
        for (i64 j = 0; j < s; ++j) blind = blind && !sees(b, h, i, j);
        for (i64 j = 0; j < s; ++j) {
          double score = 0;
          for (i64 c = 0; c < d; ++c) score += q[q.at(b, i, h, c)] * key[key.at(b, j, h / group, c)];
          sum += share[static_cast<size_t>(j)] = blind ? 1 : sees(b, h, i, j) ? std::exp(scale * score) : 0;
        }
        for (i64 j = 0; j < s; ++j) {
          double& each = slope[static_cast<size_t>(j)] = 0;
          share[static_cast<size_t>(j)] /= sum;
          for (i64 c = 0; c < e; ++c) {
            y[out.at(b, i, h, c)] += share[static_cast<size_t>(j)] * v[v.at(b, j, h / group, c)];
            dv[v.at(b, j, h / group, c)] += share[static_cast<size_t>(j)] * by[by.at(b, i, h, c)];
            each += by[by.at(b, i, h, c)] * v[v.at(b, j, h / group, c)];
          }
          mean += share[static_cast<size_t>(j)] * each;
        }
        for (i64 j = 0; j < s; ++j) {
          const double away = slope[static_cast<size_t>(j)] - mean;
          const double change = blind ? 0 : scale * share[static_cast<size_t>(j)] * away;
          for (i64 c = 0; c < d; ++c) {
            dq[q.at(b, i, h, c)] += change * key[key.at(b, j, h / group, c)];
            dk[key.at(b, j, h / group, c)] += change * q[q.at(b, i, h, c)];
          }
        }
      }
  const Attention a = {q.array, key.array, v.array, out.array, sums.data.get(), static_cast<float>(scale), causal,
                       {mask.get(), {mask_size[0], mask_size[1], mask_size[2], mask_size[3]}}};
  const std::string first = attention(k, threads, a);
  Attention back = a;
  back.output = by.array;
  const std::string second =
      attention_grad(k, threads, back, by_q.data.get(), by_k.data.get(), by_v.data.get());
  double worst = 0;
  for (double each : {error(out, y), error(by_q, dq), error(by_k, dk), error(by_v, dv)})
    worst = each <= worst ? worst : each;
  if (!first.empty() || !second.empty() || !(worst < 1e-5))
    std::printf("%s attention: error %g: %s %s\n", k.name, worst, first.c_str(), second.c_str());
  return first.empty() && second.empty() ? worst : 1;
}

// Calls that must be refused; returns how many were not.
int bad_calls(const Kernels& k) {
  int passed = 0;
  Held in(1, 8, 8, 4), kernel(3, 3, 4, 8), out(1, 8, 8, 8);
  HeldOf<Half> half(1, 8, 8, 4), half_kernel(3, 3, 4, 8), half_out(1, 8, 8, 7);
  const Window plain = {1, 1, 1, 1, 1, 1, 1};
  if (conv(k, {}, plain, half.array, half_kernel.array, nullptr, kNone, half_out.array).empty()) ++passed;
  if (conv_input_grad(k, {}, plain, half_out.array, half_kernel.array, half.array).empty()) ++passed;
  if (conv_weight_grad(k, {}, plain, half.array, half_out.array, half_kernel.array).empty()) ++passed;
  if (max_pool(k, {}, plain, 2, 2, half.array, half_out.array, nullptr).empty()) ++passed;
  if (relu_grad(k, {}, -1, 4, half.array.data, half.array.data, half.array.data, half.array.data).empty()) ++passed;
  if (relu_grad(k, {}, 4, 4, half.array.data, half.array.data, half.array.data, nullptr).empty()) ++passed;
  const auto refused = [&](const char* what, const Window& v, Array i, Array w, Array o) {
    const std::string all[] = {conv(k, {}, v, i, w, nullptr, kNone, o), conv_input_grad(k, {}, v, o, w, i),
                               conv_weight_grad(k, {}, v, i, o, w)};
    for (const std::string& wrong : all)
      if (wrong.empty()) std::printf("%s: not refused\n", what), ++passed;
  };
  const Window same = {1, 1, 1, 1, 1, 1, 1};
  Array bad = in.array;
  bad.data = nullptr;
  refused("null", same, bad, kernel.array, out.array);
  bad = in.array, bad.data = reinterpret_cast<float*>(reinterpret_cast<char*>(bad.data) + 1);
  refused("misaligned", same, bad, kernel.array, out.array);
  bad = in.array, bad.size[0] = -1;
  refused("negative size", same, bad, kernel.array, out.array);
  bad = in.array, bad.size[1] = i64{1} << 50;
  refused("huge size", same, bad, kernel.array, out.array);
  bad = in.array, bad.size[3] = 5;
  refused("channels", same, bad, kernel.array, out.array);
  bad = out.array, bad.size[3] = 7;
  refused("filters", same, in.array, kernel.array, bad);
  bad = out.array, bad.size[0] = 2;
  refused("batch", same, in.array, kernel.array, bad);
  bad = out.array, bad.size[1] = 11;
  refused("window outside", same, in.array, kernel.array, bad);
  bad = kernel.array, bad.size[0] = 0;
  refused("empty kernel", same, in.array, bad, out.array);
  for (int field = 0; field < 7; ++field) {
    for (i64 value : {i64{-1}, i64{1} << 62}) {
      Window v = same;
      i64* fields[] = {&v.stride_h, &v.stride_w, &v.dilation_h, &v.dilation_w, &v.top, &v.left, &v.groups};
      *fields[field] = value;
      refused("window", v, in.array, kernel.array, out.array);
    }
  }
  Window v = same;
  v.top = 3;
  refused("padding as large as the window", v, in.array, kernel.array, out.array);
  v = same, v.stride_h = v.dilation_h = 2, v.top = 0;
  if (conv_input_grad(k, {}, v, Held(1, 2, 8, 8, 0).array, kernel.array, in.array).empty()) ++passed;
  v = same, v.top = v.left = 0;
  for (i64 edge : {i64{-1}, i64{0}, i64{300}, i64{1} << 40}) {
    if (max_pool(k, {}, v, edge, 2, in.array, in.array, nullptr).empty()) ++passed;
    if (max_pool_grad(k, {}, v, 2, edge, in.array, nullptr, in.array).empty()) ++passed;
  }
  if (max_pool(k, {}, v, 2, 2, in.array, out.array, nullptr).empty()) ++passed;
  if (max_pool_grad(k, {}, v, 2, 2, in.array, nullptr, in.array).empty()) ++passed;
  if (conv(k, {}, same, in.array, kernel.array, nullptr, 77, out.array).empty()) ++passed;
  float few[4] = {};
  const auto no_moments = [&](const Matrix& x) {
    if (moments(k, {}, x, few, few).empty()) ++passed;
    if (moments_grad(k, {}, x, {in.data.get(), 64, 4}, few, few, few).empty()) ++passed;
    if (moments_grad(k, {}, {in.data.get(), 64, 4}, x, few, few, few).empty()) ++passed;
  };
  for (i64 size : {i64{-1}, i64{0}, i64{1} << 50}) no_moments({in.data.get(), size, 4}), no_moments({in.data.get(), 64, size});
  no_moments({nullptr, 64, 4});
  no_moments({reinterpret_cast<float*>(reinterpret_cast<char*>(in.data.get()) + 1), 64, 4});
  if (moments_grad(k, {}, {in.data.get(), 63, 4}, {in.data.get(), 64, 4}, few, few, few).empty()) ++passed;
  // Depthwise: the kernel has one filter for each channel, and there are no groups.
  Held deep_kernel(3, 3, 4, 1), deep_out(1, 8, 8, 4);
  const auto deep = [&](const char* what, const Window& v, Array i, Array w, Array o) {
    for (const std::string& wrong : {depthwise(k, {}, v, i, w, o), depthwise_input_grad(k, {}, v, o, w, i),
                                     depthwise_weight_grad(k, {}, v, i, o, w)})
      if (wrong.empty()) std::printf("depthwise %s: not refused\n", what), ++passed;
  };
  bad = in.array, bad.data = nullptr;
  deep("null", same, bad, deep_kernel.array, deep_out.array);
  bad = deep_out.array, bad.data = reinterpret_cast<float*>(reinterpret_cast<char*>(bad.data) + 2);
  deep("misaligned", same, in.array, deep_kernel.array, bad);
  for (int axis = 0; axis < 4; ++axis)
    for (i64 size : {i64{-1}, i64{5}, i64{1} << 50}) {
      bad = deep_out.array, bad.size[axis] = size;
      if (size != 5 || axis == 0 || axis == 3) deep("size", same, in.array, deep_kernel.array, bad);
      bad = deep_kernel.array, bad.size[axis] = size;
      if (size != 5 || axis > 1) deep("kernel", same, in.array, bad, deep_out.array);
    }
  deep("a kernel that mixes channels", same, in.array, kernel.array, deep_out.array);
  for (int field = 0; field < 7; ++field) {
    for (i64 value : {i64{-1}, i64{1} << 62}) {
      Window v = same;
      i64* fields[] = {&v.stride_h, &v.stride_w, &v.dilation_h, &v.dilation_w, &v.top, &v.left, &v.groups};
      *fields[field] = value;
      deep("window", v, in.array, deep_kernel.array, deep_out.array);
    }
  }
  v = same, v.groups = 2;
  deep("groups", v, in.array, deep_kernel.array, deep_out.array);
  return passed;
}

}  // namespace

int main(int argc, char** argv) {
  room.seed(argc > 1 ? static_cast<unsigned>(std::atoi(argv[1])) : 0);
  const int rounds = argc > 2 ? std::atoi(argv[2]) : 50;
  std::mutex lock;
  std::vector<std::thread> started;
  Threads threads, alone;
  threads.count = 3;
  threads.schedule = [&](std::function<void()> run) {
    const std::lock_guard<std::mutex> held(lock);
    started.emplace_back(std::move(run));
  };
  int failures = 0;
  for (const char* name : {"amx", "avx512", "avx2", "baseline"}) {
    const Kernels* k = kernels_named(name);
    if (!k) {
      std::printf("%s: not here\n", name);
      continue;
    }
    double worst = 0;
    for (int i = 0; i < rounds; ++i) {
      const Threads& used = i % 2 ? threads : alone;
      worst = std::max(worst, check_case<float>(*k, used, random_case()));
      worst = std::max(worst, check_case<Half>(*k, used, random_case()));
      if (i < 2) worst = std::max(worst, check_case<Half>(*k, used, large_case()));
      worst = std::max(worst, check_relu(*k, used));
      worst = std::max(worst, check_pool<float>(*k, used));
      worst = std::max(worst, check_pool<Half>(*k, used));
      worst = std::max(worst, check_depthwise(*k, used));
      worst = std::max(worst, check_moments(*k, used));
      if (i < 4) worst = std::max(worst, check_adam(*k, used));
      worst = std::max(worst, check_lstm(*k, used));
      worst = std::max(worst, check_gru(*k, used));
      worst = std::max(worst, check_attention(*k, used));
      for (std::thread& thread : started) thread.join();
      started.clear();
    }
    const int bad = bad_calls(*k);
    std::printf("%s: %d shapes, largest error %.2g\n", name, rounds, worst);
    failures += bad + !(worst < 1e-5);
  }
  return failures ? 1 : 0;
}
