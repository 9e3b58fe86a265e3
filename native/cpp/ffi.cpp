// The calls as XLA sees them: typed buffers and attributes in, an error or nothing out.
#include <algorithm>
#include <cstdint>
#include <exception>
#include <string>
#include <type_traits>
#include <vector>

#include "attention.h"
#include "depthwise.h"
#include "driver.h"
#include "moments.h"
#include "optimizer.h"
#include "recurrent.h"
#include "xla/ffi/api/ffi.h"

namespace ffi = xla::ffi;

namespace hornbill {
namespace {

// Arrays of T: float, or Half for bfloat16.
template <typename T>
constexpr ffi::DataType kType = std::is_same_v<T, Half> ? ffi::BF16 : ffi::F32;
template <typename T>
using Four = ffi::Buffer<kType<T>, 4>;
template <typename T>
using FourResult = ffi::Result<Four<T>>;
template <typename T>
using One = ffi::Buffer<kType<T>, 1>;
using Places = ffi::Buffer<ffi::U8, 4>;
using Three = ffi::Buffer<ffi::F32, 3>;
using Two = ffi::Buffer<ffi::F32, 2>;
using Scalar = ffi::Buffer<ffi::F32, 0>;
using Numbers = ffi::Span<const int64_t>;

template <typename T>
T* data(void* untyped) {
  return static_cast<T*>(untyped);
}

template <typename T>
ArrayOf<T> array(Four<T>& b) {
  ArrayOf<T> a = {data<T>(b.untyped_data()), {0, 0, 0, 0}};
  const auto sizes = b.dimensions();
  for (size_t i = 0; i < 4; ++i) a.size[i] = sizes[i];
  return a;
}
template <typename T>
ArrayOf<T> array(FourResult<T>& b) {
  return array<T>(*b);
}

bool same(Numbers a, Numbers b) { return std::equal(a.begin(), a.end(), b.begin(), b.end()); }

// Seven numbers: strides, dilations, cells of padding before (each for rows and columns), groups.
bool window(Numbers n, Window& v) {
  if (n.size() != 7) return false;
  v = {n[0], n[1], n[2], n[3], n[4], n[5], n[6]};
  return true;
}

Threads threads_of(ffi::ThreadPool& pool) {
  Threads threads;
  const int64_t count = pool.num_threads();
  threads.count = count < 1 ? 1 : count > 256 ? 256 : static_cast<int>(count);
  threads.schedule = [&pool](std::function<void()> run) { pool.Schedule(std::move(run)); };
  return threads;
}

// Runs a call and turns whatever goes wrong into an error.
template <typename Call>
ffi::Error answer(const char* name, const Call& call) {
  try {
    const std::string wrong = call();
    if (wrong.empty()) return ffi::Error::Success();
    return ffi::Error::InvalidArgument(std::string(name) + ": " + wrong);
  } catch (const std::exception& error) {
    return ffi::Error(ffi::ErrorCode::kResourceExhausted, std::string(name) + ": " + error.what());
  }
}

// The same for calls with a window.
template <typename Call>
ffi::Error guarded(const char* name, Numbers numbers, const Call& call) {
  Window v;
  if (!window(numbers, v)) return ffi::Error::InvalidArgument(std::string(name) + ": window must have 7 numbers");
  return answer(name, [&] { return call(v); });
}

template <typename T>
ffi::Error Conv(ffi::ThreadPool pool, Numbers numbers, Four<T> in, Four<T> kernel, FourResult<T> out) {
  return guarded("hornbill_conv", numbers, [&](const Window& v) {
    return conv(best_kernels(), threads_of(pool), v, array<T>(in), array<T>(kernel), nullptr, kNone, array<T>(out));
  });
}

template <typename T>
ffi::Error ConvBias(ffi::ThreadPool pool, Numbers numbers, int64_t activation, Four<T> in, Four<T> kernel,
                    One<T> bias, FourResult<T> out) {
  return guarded("hornbill_conv_bias", numbers, [&](const Window& v) -> std::string {
    if (bias.dimensions()[0] != out->dimensions()[3]) return "bias and filters differ";
    return conv(best_kernels(), threads_of(pool), v, array<T>(in), array<T>(kernel), data<T>(bias.untyped_data()),
                static_cast<int>(activation), array<T>(out));
  });
}

template <typename T>
ffi::Error ConvInputGrad(ffi::ThreadPool pool, Numbers numbers, Four<T> out, Four<T> kernel, FourResult<T> in) {
  return guarded("hornbill_conv_input_grad", numbers, [&](const Window& v) {
    return conv_input_grad(best_kernels(), threads_of(pool), v, array<T>(out), array<T>(kernel), array<T>(in));
  });
}

template <typename T>
ffi::Error ConvWeightGrad(ffi::ThreadPool pool, Numbers numbers, Four<T> in, Four<T> out, FourResult<T> kernel) {
  return guarded("hornbill_conv_weight_grad", numbers, [&](const Window& v) {
    return conv_weight_grad(best_kernels(), threads_of(pool), v, array<T>(in), array<T>(out), array<T>(kernel));
  });
}

ffi::Error ReluGradient(ffi::ThreadPool pool, Four<Half> gradient, Four<Half> outputs, FourResult<Half> result,
                    ffi::Result<One<Half>> bias) {
  const auto sizes = gradient.dimensions();
  if (!same(sizes, outputs.dimensions()) || !same(sizes, result->dimensions()) || bias->dimensions()[0] != sizes[3])
    return ffi::Error::InvalidArgument("hornbill_relu_grad_bfloat16: shapes differ");
  return answer("hornbill_relu_grad_bfloat16", [&] {
    return relu_grad(best_kernels(), threads_of(pool), sizes[0] * sizes[1] * sizes[2], sizes[3],
                     data<Half>(gradient.untyped_data()), data<Half>(outputs.untyped_data()), data<Half>(result->untyped_data()),
                     data<Half>(bias->untyped_data()));
  });
}

// `pool` holds the edges of the window.
template <typename T>
ffi::Error MaxPool(ffi::ThreadPool pool, Numbers numbers, Numbers edges, Four<T> in, FourResult<T> out) {
  return guarded("hornbill_max_pool", numbers, [&](const Window& v) -> std::string {
    if (edges.size() != 2) return "pool must have 2 numbers";
    return max_pool(best_kernels(), threads_of(pool), v, edges[0], edges[1], array<T>(in), array<T>(out), nullptr);
  });
}

template <typename T>
ffi::Error MaxPoolPlace(ffi::ThreadPool pool, Numbers numbers, Numbers edges, Four<T> in, FourResult<T> out,
                        ffi::Result<Places> place) {
  return guarded("hornbill_max_pool_place", numbers, [&](const Window& v) -> std::string {
    if (edges.size() != 2) return "pool must have 2 numbers";
    if (!same(place->dimensions(), out->dimensions())) return "places and output differ";
    return max_pool(best_kernels(), threads_of(pool), v, edges[0], edges[1], array<T>(in), array<T>(out), place->typed_data());
  });
}

template <typename T>
ffi::Error MaxPoolGrad(ffi::ThreadPool pool, Numbers numbers, Numbers edges, Four<T> out, Places place, FourResult<T> in) {
  return guarded("hornbill_max_pool_grad", numbers, [&](const Window& v) -> std::string {
    if (edges.size() != 2) return "pool must have 2 numbers";
    if (!same(place.dimensions(), out.dimensions())) return "places and output differ";
    return max_pool_grad(best_kernels(), threads_of(pool), v, edges[0], edges[1], array<T>(out), place.typed_data(),
                         array<T>(in));
  });
}

ffi::Error DepthwiseForward(ffi::ThreadPool pool, Numbers numbers, Four<float> in, Four<float> kernel, FourResult<float> out) {
  return guarded("hornbill_depthwise", numbers, [&](const Window& v) {
    return depthwise(best_kernels(), threads_of(pool), v, array<float>(in), array<float>(kernel), array<float>(out));
  });
}

ffi::Error DepthwiseInputGrad(ffi::ThreadPool pool, Numbers numbers, Four<float> out, Four<float> kernel,
                              FourResult<float> in) {
  return guarded("hornbill_depthwise_input_grad", numbers, [&](const Window& v) {
    return depthwise_input_grad(best_kernels(), threads_of(pool), v, array<float>(out), array<float>(kernel),
                                array<float>(in));
  });
}

ffi::Error DepthwiseWeightGrad(ffi::ThreadPool pool, Numbers numbers, Four<float> in, Four<float> out,
                               FourResult<float> kernel) {
  return guarded("hornbill_depthwise_weight_grad", numbers, [&](const Window& v) {
    return depthwise_weight_grad(best_kernels(), threads_of(pool), v, array<float>(in), array<float>(out),
                                 array<float>(kernel));
  });
}

// Operands: the rate, then all weights, all gradients, all first and all second moments; results: the new weights and
// moments, in the same order.
ffi::Error AdamStep(ffi::ThreadPool pool, float keep_1, float keep_2, float epsilon, Scalar rate,
                    ffi::RemainingArgs given, ffi::RemainingRets results) {
  const auto wrong = [](const char* what) { return ffi::Error::InvalidArgument(std::string("hornbill_adam: ") + what); };
  const size_t count = given.size() / 4;
  if (given.size() != 4 * count || results.size() != 3 * count) return wrong("there must be four arrays for each weight");
  std::vector<AdamArrays> arrays(count);
  for (size_t i = 0; i < count; ++i) {
    const float* from[4];
    float* to[3];
    for (size_t j = 0; j < 4; ++j) {
      auto buffer = given.get<ffi::AnyBuffer>(j * count + i);
      if (!buffer.has_value() || buffer->element_type() != ffi::F32) return wrong("all arrays must be float32");
      if (j == 0) arrays[i].size = static_cast<int64_t>(buffer->element_count());
      if (static_cast<int64_t>(buffer->element_count()) != arrays[i].size) return wrong("sizes differ");
      from[j] = buffer->typed_data<float>();
    }
    for (size_t j = 0; j < 3; ++j) {
      auto buffer = results.get<ffi::AnyBuffer>(j * count + i);
      if (!buffer.has_value() || (*buffer)->element_type() != ffi::F32) return wrong("all results must be float32");
      if (static_cast<int64_t>((*buffer)->element_count()) != arrays[i].size) return wrong("sizes differ");
      to[j] = (*buffer)->typed_data<float>();
    }
    arrays[i] = {from[0], from[1], from[2], from[3], to[0], to[1], to[2], arrays[i].size};
  }
  try {
    adam(best_kernels(), threads_of(pool), arrays, *rate.typed_data(), keep_1, keep_2, epsilon);
  } catch (const std::exception& error) {
    return ffi::Error(ffi::ErrorCode::kResourceExhausted, std::string("hornbill_adam: ") + error.what());
  }
  return ffi::Error::Success();
}

bool sizes(Numbers found, std::initializer_list<int64_t> wanted) {
  return std::equal(found.begin(), found.end(), wanted.begin(), wanted.end());
}

// Turns what is wrong with a call that has no window, or what it throws, into an error.
template <typename Call>
ffi::Error plain_call(const char* name, const Call& call) {
  try {
    const std::string wrong = call();
    if (wrong.empty()) return ffi::Error::Success();
    return ffi::Error::InvalidArgument(std::string(name) + ": " + wrong);
  } catch (const std::exception& error) {
    return ffi::Error(ffi::ErrorCode::kResourceExhausted, std::string(name) + ": " + error.what());
  }
}

// `given` holds the mask, or nothing.
template <typename Run>
ffi::Error attend(const char* name, Numbers sums, Attention a, ffi::RemainingArgs given, const Run& run) {
  return plain_call(name, [&]() -> std::string {
    if (!sizes(sums, {a.query.size[0], a.query.size[2], a.query.size[1]})) return "the sums have another shape";
    if (given.size() > 1) return "there is more than one mask";
    if (given.size() == 1) {
      auto mask = given.get<ffi::Buffer<ffi::PRED, 4>>(0);
      if (!mask.has_value()) return "the mask must be boolean and have four axes";
      a.mask.data = mask->typed_data();
      std::copy_n(mask->dimensions().begin(), 4, a.mask.size);
    }
    return run(a);
  });
}

ffi::Error AttentionForward(ffi::ThreadPool pool, float scale, bool causal, Four<float> query, Four<float> key,
                            Four<float> value, ffi::RemainingArgs given, FourResult<float> output,
                            ffi::Result<Three> sums) {
  const Attention all = {array<float>(query), array<float>(key), array<float>(value), array<float>(output),
                         sums->typed_data(), scale, causal, {}};
  return attend("hornbill_attention", sums->dimensions(), all, given,
                [&](const Attention& a) { return attention(best_kernels(), threads_of(pool), a); });
}

ffi::Error AttentionGrad(ffi::ThreadPool pool, float scale, bool causal, Four<float> query, Four<float> key,
                         Four<float> value, Three sums, Four<float> by_output, ffi::RemainingArgs given,
                         FourResult<float> by_query, FourResult<float> by_key, FourResult<float> by_value) {
  const char* name = "hornbill_attention_grad";
  if (!same(by_query->dimensions(), query.dimensions()) || !same(by_key->dimensions(), key.dimensions()) ||
      !same(by_value->dimensions(), value.dimensions()))
    return ffi::Error::InvalidArgument(std::string(name) + ": gradients have other shapes");
  const Attention all = {array<float>(query), array<float>(key), array<float>(value), array<float>(by_output),
                         sums.typed_data(), scale, causal, {}};
  return attend(name, sums.dimensions(), all, given, [&](const Attention& a) {
    return attention_grad(best_kernels(), threads_of(pool), a, by_query->typed_data(), by_key->typed_data(),
                          by_value->typed_data());
  });
}

Matrix matrix(Two& b) { return {b.typed_data(), b.dimensions()[0], b.dimensions()[1]}; }

ffi::Error Moments(ffi::ThreadPool pool, Two x, ffi::Result<One<float>> mean, ffi::Result<One<float>> variance) {
  return plain_call("hornbill_moments", [&]() -> std::string {
    const int64_t channels = x.dimensions()[1];
    if (!sizes(mean->dimensions(), {channels}) || !sizes(variance->dimensions(), {channels})) return "sizes do not fit";
    return moments(best_kernels(), threads_of(pool), matrix(x), mean->typed_data(), variance->typed_data());
  });
}

ffi::Error MomentsGrad(ffi::ThreadPool pool, Two a, Two x, One<float> mean, ffi::Result<One<float>> sum,
                       ffi::Result<One<float>> product) {
  return plain_call("hornbill_moments_grad", [&]() -> std::string {
    const int64_t channels = x.dimensions()[1];
    for (Numbers found : {mean.dimensions(), sum->dimensions(), product->dimensions()})
      if (!sizes(found, {channels})) return "sizes do not fit";
    return moments_grad(best_kernels(), threads_of(pool), matrix(a), matrix(x), mean.typed_data(), sum->typed_data(),
                        product->typed_data());
  });
}

// Checks what both calls of a sequence share and runs one; arrays that are only read are not written.
template <typename Call>
ffi::Error sequence(const char* name, Three& gates, Two& first_c, Two& recurrent, Numbers h, Numbers c, const Call& call) {
  const Numbers all = gates.dimensions();
  const int64_t steps = all[0], rows = all[1], units = all[2] / 4;
  if (all[2] != 4 * units || !sizes(recurrent.dimensions(), {units, 4 * units}) ||
      !sizes(first_c.dimensions(), {rows, units}) || !sizes(h, {steps, rows, units}) || !sizes(c, {steps, rows, units}))
    return ffi::Error::InvalidArgument(std::string(name) + ": sizes do not fit");
  LstmArrays arrays = {steps, rows, units, nullptr, first_c.typed_data(), recurrent.typed_data(), gates.typed_data(),
                       nullptr, nullptr};
  try {
    call(arrays);
  } catch (const std::exception& error) {
    return ffi::Error(ffi::ErrorCode::kResourceExhausted, std::string(name) + ": " + error.what());
  }
  return ffi::Error::Success();
}

// `given` holds the input's share of the gates, `gates` gets their activations: they may be the same memory.
ffi::Error LstmSequence(ffi::ThreadPool pool, Three given, Two first_h, Two first_c, Two recurrent, ffi::Result<Three> h,
                        ffi::Result<Three> c, ffi::Result<Three> gates) {
  const char* name = "hornbill_lstm";
  if (!same(gates->dimensions(), given.dimensions()) || !same(first_h.dimensions(), first_c.dimensions()))
    return ffi::Error::InvalidArgument(std::string(name) + ": sizes do not fit");
  return sequence(name, given, first_c, recurrent, h->dimensions(), c->dimensions(), [&](LstmArrays& s) {
    if (given.typed_data() != gates->typed_data())
      std::copy_n(given.typed_data(), given.element_count(), gates->typed_data());
    s.first_h = first_h.typed_data(), s.gates = gates->typed_data();
    s.h = h->typed_data(), s.c = c->typed_data();
    lstm_sequence(best_kernels(), threads_of(pool), s);
  });
}

ffi::Error LstmSequenceGrad(ffi::ThreadPool pool, Three gates, Two first_c, Two recurrent, Three c, Three by_h,
                            Two by_last_c, ffi::Result<Three> by_gates, ffi::Result<Two> by_first_h,
                            ffi::Result<Two> by_first_c) {
  const char* name = "hornbill_lstm_grad";
  const Numbers state = first_c.dimensions();
  if (!same(by_gates->dimensions(), gates.dimensions()) || !same(by_last_c.dimensions(), state) ||
      !same(by_first_h->dimensions(), state) || !same(by_first_c->dimensions(), state))
    return ffi::Error::InvalidArgument(std::string(name) + ": sizes do not fit");
  return sequence(name, gates, first_c, recurrent, by_h.dimensions(), c.dimensions(), [&](LstmArrays& s) {
    s.c = c.typed_data();
    lstm_sequence_grad(best_kernels(), threads_of(pool), s, by_h.typed_data(), by_last_c.typed_data(),
                       by_gates->typed_data(), by_first_h->typed_data(), by_first_c->typed_data());
  });
}

// Checks what both calls of a GRU's sequence share and runs one; `wide` are those of 3 * units.
template <typename Call>
ffi::Error gru_call(const char* name, Numbers held, Two& first_h, Two& recurrent, Numbers h,
                    std::initializer_list<Numbers> wide, const Call& call) {
  return plain_call(name, [&]() -> std::string {
    const int64_t steps = held[0], rows = held[1], units = held[2] / 4;
    bool fits = sizes(held, {steps, rows, 4 * units}) && sizes(first_h.dimensions(), {rows, units}) &&
                sizes(recurrent.dimensions(), {units, 3 * units}) && sizes(h, {steps, rows, units});
    for (Numbers each : wide) fits = fits && sizes(each, {steps, rows, 3 * units});
    if (!fits) return "sizes do not fit";
    return call(GruArrays{steps, rows, units, first_h.typed_data(), recurrent.typed_data(), nullptr, nullptr});
  });
}

ffi::Error GruSequence(ffi::ThreadPool pool, Three x, Two first_h, Two recurrent, One<float> bias, ffi::Result<Three> h,
                       ffi::Result<Three> held) {
  return gru_call("hornbill_gru", held->dimensions(), first_h, recurrent, h->dimensions(), {x.dimensions()},
                  [&](GruArrays s) -> std::string {
    if (!sizes(bias.dimensions(), {3 * s.units})) return "sizes do not fit";
    s.held = held->typed_data(), s.h = h->typed_data();
    gru_sequence(best_kernels(), threads_of(pool), s, x.typed_data(), bias.typed_data());
    return "";
  });
}

ffi::Error GruSequenceGrad(ffi::ThreadPool pool, Three held, Two first_h, Two recurrent, Three h, Three by_h,
                           ffi::Result<Three> by_x, ffi::Result<Three> by_y, ffi::Result<Two> by_first_h) {
  return gru_call("hornbill_gru_grad", held.dimensions(), first_h, recurrent, h.dimensions(),
                  {by_x->dimensions(), by_y->dimensions()}, [&](GruArrays s) -> std::string {
    if (!same(by_h.dimensions(), h.dimensions()) || !same(by_first_h->dimensions(), first_h.dimensions()))
      return "sizes do not fit";
    s.held = held.typed_data(), s.h = h.typed_data();
    gru_sequence_grad(best_kernels(), threads_of(pool), s, by_h.typed_data(), by_x->typed_data(), by_y->typed_data(),
                      by_first_h->typed_data());
    return "";
  });
}

}  // namespace

// The library shows these symbols and no others.
#pragma GCC visibility push(default)

#define HB_HANDLERS(T, NAME)                                                                                         \
  XLA_FFI_DEFINE_HANDLER_SYMBOL(HornbillConv##NAME, Conv<T>,                                                         \
                                ffi::Ffi::Bind().Ctx<ffi::ThreadPool>().Attr<Numbers>("window").Arg<Four<T>>()       \
                                    .Arg<Four<T>>().Ret<Four<T>>());                                                 \
  XLA_FFI_DEFINE_HANDLER_SYMBOL(HornbillConvBias##NAME, ConvBias<T>,                                                 \
                                ffi::Ffi::Bind().Ctx<ffi::ThreadPool>().Attr<Numbers>("window")                      \
                                    .Attr<int64_t>("activation").Arg<Four<T>>().Arg<Four<T>>().Arg<One<T>>()         \
                                    .Ret<Four<T>>());                                                                \
  XLA_FFI_DEFINE_HANDLER_SYMBOL(HornbillConvInputGrad##NAME, ConvInputGrad<T>,                                       \
                                ffi::Ffi::Bind().Ctx<ffi::ThreadPool>().Attr<Numbers>("window").Arg<Four<T>>()       \
                                    .Arg<Four<T>>().Ret<Four<T>>());                                                 \
  XLA_FFI_DEFINE_HANDLER_SYMBOL(HornbillConvWeightGrad##NAME, ConvWeightGrad<T>,                                     \
                                ffi::Ffi::Bind().Ctx<ffi::ThreadPool>().Attr<Numbers>("window").Arg<Four<T>>()       \
                                    .Arg<Four<T>>().Ret<Four<T>>());                                                 \
  XLA_FFI_DEFINE_HANDLER_SYMBOL(HornbillMaxPool##NAME, MaxPool<T>,                                                   \
                                ffi::Ffi::Bind().Ctx<ffi::ThreadPool>().Attr<Numbers>("window").Attr<Numbers>("pool") \
                                    .Arg<Four<T>>().Ret<Four<T>>());                                                 \
  XLA_FFI_DEFINE_HANDLER_SYMBOL(HornbillMaxPoolPlace##NAME, MaxPoolPlace<T>,                                         \
                                ffi::Ffi::Bind().Ctx<ffi::ThreadPool>().Attr<Numbers>("window").Attr<Numbers>("pool") \
                                    .Arg<Four<T>>().Ret<Four<T>>().Ret<Places>());                                   \
  XLA_FFI_DEFINE_HANDLER_SYMBOL(HornbillMaxPoolGrad##NAME, MaxPoolGrad<T>,                                           \
                                ffi::Ffi::Bind().Ctx<ffi::ThreadPool>().Attr<Numbers>("window").Attr<Numbers>("pool") \
                                    .Arg<Four<T>>().Arg<Places>().Ret<Four<T>>());

HB_HANDLERS(float, )
HB_HANDLERS(Half, Half)

XLA_FFI_DEFINE_HANDLER_SYMBOL(HornbillReluGradHalf, ReluGradient,
                              ffi::Ffi::Bind().Ctx<ffi::ThreadPool>().Arg<Four<Half>>().Arg<Four<Half>>()
                                  .Ret<Four<Half>>().Ret<One<Half>>());

XLA_FFI_DEFINE_HANDLER_SYMBOL(HornbillAdam, AdamStep,
                              ffi::Ffi::Bind().Ctx<ffi::ThreadPool>().Attr<float>("keep_1").Attr<float>("keep_2")
                                  .Attr<float>("epsilon").Arg<Scalar>().RemainingArgs()
                                  .RemainingRets());

XLA_FFI_DEFINE_HANDLER_SYMBOL(HornbillAttention, AttentionForward,
                              ffi::Ffi::Bind().Ctx<ffi::ThreadPool>().Attr<float>("scale").Attr<bool>("causal")
                                  .Arg<Four<float>>().Arg<Four<float>>().Arg<Four<float>>().RemainingArgs()
                                  .Ret<Four<float>>().Ret<Three>());
XLA_FFI_DEFINE_HANDLER_SYMBOL(HornbillAttentionGrad, AttentionGrad,
                              ffi::Ffi::Bind().Ctx<ffi::ThreadPool>().Attr<float>("scale").Attr<bool>("causal")
                                  .Arg<Four<float>>().Arg<Four<float>>().Arg<Four<float>>().Arg<Three>()
                                  .Arg<Four<float>>().RemainingArgs().Ret<Four<float>>()
                                  .Ret<Four<float>>().Ret<Four<float>>());
#define HORNBILL_DEPTHWISE(symbol, call)                                                                        \
  XLA_FFI_DEFINE_HANDLER_SYMBOL(symbol, call,                                                                  \
                                ffi::Ffi::Bind().Ctx<ffi::ThreadPool>().Attr<Numbers>("window").Arg<Four<float>>() \
                                    .Arg<Four<float>>().Ret<Four<float>>())
HORNBILL_DEPTHWISE(HornbillDepthwise, DepthwiseForward);
HORNBILL_DEPTHWISE(HornbillDepthwiseInputGrad, DepthwiseInputGrad);
HORNBILL_DEPTHWISE(HornbillDepthwiseWeightGrad, DepthwiseWeightGrad);
XLA_FFI_DEFINE_HANDLER_SYMBOL(HornbillMoments, Moments,
                              ffi::Ffi::Bind().Ctx<ffi::ThreadPool>().Arg<Two>().Ret<One<float>>().Ret<One<float>>());
XLA_FFI_DEFINE_HANDLER_SYMBOL(HornbillMomentsGrad, MomentsGrad,
                              ffi::Ffi::Bind().Ctx<ffi::ThreadPool>().Arg<Two>().Arg<Two>().Arg<One<float>>()
                                  .Ret<One<float>>().Ret<One<float>>());
XLA_FFI_DEFINE_HANDLER_SYMBOL(HornbillLstm, LstmSequence,
                              ffi::Ffi::Bind().Ctx<ffi::ThreadPool>().Arg<Three>().Arg<Two>().Arg<Two>().Arg<Two>()
                                  .Ret<Three>().Ret<Three>().Ret<Three>());
XLA_FFI_DEFINE_HANDLER_SYMBOL(HornbillLstmGrad, LstmSequenceGrad,
                              ffi::Ffi::Bind().Ctx<ffi::ThreadPool>().Arg<Three>().Arg<Two>().Arg<Two>().Arg<Three>()
                                  .Arg<Three>().Arg<Two>().Ret<Three>().Ret<Two>().Ret<Two>());
XLA_FFI_DEFINE_HANDLER_SYMBOL(HornbillGru, GruSequence,
                              ffi::Ffi::Bind().Ctx<ffi::ThreadPool>().Arg<Three>().Arg<Two>().Arg<Two>()
                                  .Arg<One<float>>().Ret<Three>().Ret<Three>());
XLA_FFI_DEFINE_HANDLER_SYMBOL(HornbillGruGrad, GruSequenceGrad,
                              ffi::Ffi::Bind().Ctx<ffi::ThreadPool>().Arg<Three>().Arg<Two>().Arg<Two>().Arg<Three>()
                                  .Arg<Three>().Ret<Three>().Ret<Three>().Ret<Two>());

}  // namespace hornbill

// Names of the instruction set in use and of all that this build and processor have.
extern "C" const char* hornbill_native_isa() { return hornbill::best_kernels().name; }
extern "C" int hornbill_native_has(const char* name) { return hornbill::kernels_named(name) != nullptr; }

#pragma GCC visibility pop
