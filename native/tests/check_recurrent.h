// Sequences of recurrent layers; part of check.cpp, whose arrays it uses.

// A sequence of an LSTM and its gradient, against the equations in double precision.
double check_lstm(const Kernels& k, const Threads& threads) {
  const i64 steps = any(1, 6), rows = any(1, 20), u = any(1, 70), state = rows * u;
  Held given(1, steps, rows, 4 * u), h0(1, 1, rows, u), c0(1, 1, rows, u), r(1, 1, u, 4 * u), h(1, steps, rows, u),
      c(1, steps, rows, u), gates(1, steps, rows, 4 * u), by_h(1, steps, rows, u), by_c(1, 1, rows, u),
      by_gates(1, steps, rows, 4 * u), by_h0(1, 1, rows, u), by_c0(1, 1, rows, u);
  for (Held* filled : {&given, &h0, &c0, &r, &by_h, &by_c}) filled->fill();
  for (i64 i = 0; i < r.size(); ++i) r.data[static_cast<size_t>(i)] /= 2 * std::sqrt(static_cast<float>(u));
  std::vector<double> act(static_cast<size_t>(4 * steps * state)), hs(static_cast<size_t>(steps * state)), cs(hs.size()),
      dg(act.size()), dh(static_cast<size_t>(state)), dc(by_c.data.get(), by_c.data.get() + state);
  const auto before = [&](const std::vector<double>& all, const Held& first, i64 s, i64 b, i64 j) {
    return s ? all[static_cast<size_t>((s - 1) * state + b * u + j)] : first[static_cast<size_t>(b * u + j)];
  };
  for (i64 s = 0; s < steps; ++s)
    for (i64 b = 0; b < rows; ++b) {
      double* a = &act[static_cast<size_t>(4 * (s * state + b * u))];
      for (i64 n = 0; n < 4 * u; ++n) {
        a[n] = given[static_cast<size_t>(4 * (s * state + b * u) + n)];
        for (i64 j = 0; j < u; ++j) a[n] += before(hs, h0, s, b, j) * r[static_cast<size_t>(j * 4 * u + n)];
        a[n] = n / u == 2 ? std::tanh(a[n]) : 1 / (1 + std::exp(-a[n]));
      }
      for (i64 j = 0; j < u; ++j) {
        const size_t at = static_cast<size_t>(s * state + b * u + j);
        cs[at] = a[u + j] * before(cs, c0, s, b, j) + a[j] * a[2 * u + j];
        hs[at] = a[3 * u + j] * std::tanh(cs[at]);
      }
    }
  for (i64 s = steps - 1; s >= 0; --s)
    for (i64 b = 0; b < rows; ++b) {
      const double* a = &act[static_cast<size_t>(4 * (s * state + b * u))];
      double* d = &dg[static_cast<size_t>(4 * (s * state + b * u))];
      for (i64 j = 0; j < u; ++j) {
        const size_t at = static_cast<size_t>(s * state + b * u + j), in = static_cast<size_t>(b * u + j);
        const double t = std::tanh(cs[at]), by = dh[in] + by_h[at];
        dc[in] += by * a[3 * u + j] * (1 - t * t);
        d[j] = dc[in] * a[2 * u + j] * a[j] * (1 - a[j]);
        d[u + j] = dc[in] * before(cs, c0, s, b, j) * a[u + j] * (1 - a[u + j]);
        d[2 * u + j] = dc[in] * a[j] * (1 - a[2 * u + j] * a[2 * u + j]);
        d[3 * u + j] = by * t * a[3 * u + j] * (1 - a[3 * u + j]);
        dc[in] *= a[u + j];
      }
      for (i64 j = 0; j < u; ++j) {
        double sum = 0;
        for (i64 n = 0; n < 4 * u; ++n) sum += d[n] * r[static_cast<size_t>(j * 4 * u + n)];
        dh[static_cast<size_t>(b * u + j)] = sum;
      }
    }
  std::copy_n(given.data.get(), given.size(), gates.data.get());
  const LstmArrays arrays = {steps, rows, u, h0.data.get(), c0.data.get(), r.data.get(), gates.data.get(), h.data.get(),
                             c.data.get()};
  lstm_sequence(k, threads, arrays);
  lstm_sequence_grad(k, threads, arrays, by_h.data.get(), by_c.data.get(), by_gates.data.get(), by_h0.data.get(),
                     by_c0.data.get());
  double worst = 0;
  for (double each : {error(gates, act), error(h, hs), error(c, cs), error(by_gates, dg), error(by_h0, dh), error(by_c0, dc)})
    worst = each <= worst ? worst : each;
  if (!(worst < 1e-5)) std::printf("%s lstm: error %g\n", k.name, worst);
  return worst;
}

// The same of a GRU.
double check_gru(const Kernels& k, const Threads& threads) {
  const i64 steps = any(1, 6), rows = any(1, 20), u = any(1, 70), state = rows * u;
  Held x(1, steps, rows, 3 * u), h0(1, 1, rows, u), r(1, 1, u, 3 * u), bias(1, 1, 1, 3 * u), h(1, steps, rows, u),
      held(1, steps, rows, 4 * u), by_h(1, steps, rows, u), by_x(1, steps, rows, 3 * u), by_y(1, steps, rows, 3 * u),
      by_h0(1, 1, rows, u);
  for (Held* filled : {&x, &h0, &r, &bias, &by_h}) filled->fill();
  for (i64 i = 0; i < r.size(); ++i) r.data[static_cast<size_t>(i)] /= 2 * std::sqrt(static_cast<float>(u));
  std::vector<double> kept(static_cast<size_t>(4 * steps * state)), hs(static_cast<size_t>(steps * state)),
      dx(static_cast<size_t>(3 * steps * state)), dy(dx.size()), dh(static_cast<size_t>(state));
  const auto before = [&](i64 s, i64 b, i64 j) {
    return s ? hs[static_cast<size_t>((s - 1) * state + b * u + j)] : h0[static_cast<size_t>(b * u + j)];
  };
  const auto sigmoid = [](double a) { return 1 / (1 + std::exp(-a)); };
  for (i64 s = 0; s < steps; ++s)
    for (i64 b = 0; b < rows; ++b)
      for (i64 j = 0; j < u; ++j) {
        double in[3], y[3];
        for (i64 part = 0; part < 3; ++part) {
          in[part] = x[x.at(0, s, b, part * u + j)], y[part] = bias[static_cast<size_t>(part * u + j)];
          for (i64 i = 0; i < u; ++i) y[part] += before(s, b, i) * r[r.at(0, 0, i, part * u + j)];
        }
        const double z = sigmoid(in[0] + y[0]), reset = sigmoid(in[1] + y[1]), g = std::tanh(in[2] + reset * y[2]);
        const double all[] = {z, reset, y[2], g};
        for (i64 part = 0; part < 4; ++part) kept[held.at(0, s, b, part * u + j)] = all[part];
        hs[h.at(0, s, b, j)] = z * before(s, b, j) + (1 - z) * g;
      }
  for (i64 s = steps - 1; s >= 0; --s)
    for (i64 b = 0; b < rows; ++b) {
      for (i64 j = 0; j < u; ++j) {
        const auto part = [&](i64 n) { return kept[held.at(0, s, b, n * u + j)]; };
        double& by = dh[static_cast<size_t>(b * u + j)];
        by += by_h[h.at(0, s, b, j)];
        const double dg = by * (1 - part(0)) * (1 - part(3) * part(3));
        const double all[] = {by * (before(s, b, j) - part(3)) * part(0) * (1 - part(0)),
                              dg * part(2) * part(1) * (1 - part(1)), dg};
        for (i64 n = 0; n < 3; ++n) {
          dx[x.at(0, s, b, n * u + j)] = all[n];
          dy[x.at(0, s, b, n * u + j)] = n == 2 ? dg * part(1) : all[n];
        }
        by *= part(0);
      }
      for (i64 j = 0; j < u; ++j)
        for (i64 n = 0; n < 3 * u; ++n)
          dh[static_cast<size_t>(b * u + j)] += dy[x.at(0, s, b, n)] * r[r.at(0, 0, j, n)];
    }
  const GruArrays arrays = {steps, rows, u, h0.data.get(), r.data.get(), held.data.get(), h.data.get()};
  gru_sequence(k, threads, arrays, x.data.get(), bias.data.get());
  gru_sequence_grad(k, threads, arrays, by_h.data.get(), by_x.data.get(), by_y.data.get(), by_h0.data.get());
  double worst = 0;
  for (double each : {error(held, kept), error(h, hs), error(by_x, dx), error(by_y, dy), error(by_h0, dh)})
    worst = each <= worst ? worst : each;
  if (!(worst < 1e-5)) std::printf("%s gru: error %g\n", k.name, worst);
  return worst;
}
