#include "moments.h"

#include <algorithm>
#include <vector>

#include "product.h"
#include "tasks.h"

namespace hornbill {
namespace {

constexpr i64 kBlockFloats = 4 << 10;  // of rows that are read twice, once for their means
constexpr double kSmallSize = 32e3;    // numbers that are not worth a second thread

std::string wrong_with(const Matrix& x) {
  constexpr i64 kMost = i64{1} << 40;
  if (x.rows < 1 || x.channels < 1 || x.rows > kMost || x.channels > kMost / x.rows) return "sizes are too small or large";
  if (!x.data || reinterpret_cast<uintptr_t>(x.data) % alignof(float)) return "an array has no memory or is misaligned";
  return "";
}

// Cuts the rows into parts, one a task, whose blocks `work(part, first row, rows)` sees in order.
struct Parts {
  i64 rows, block, count;
  Parts(const Matrix& x, int threads)
      : rows(x.rows),
        block(std::clamp<i64>(kBlockFloats / x.channels, 4, 256)),
        count(std::min<i64>(ceil_div(rows, block), 2 * threads)) {}

  template <typename Work>
  void run(Threads threads, double size, const Work& work) const {
    if (size < kSmallSize) threads.count = 1;
    parallel(threads, count, [&](i64 part) {
      const i64 end = rows * (part + 1) / count;
      for (i64 row = rows * part / count; row < end; row += block) work(part, row, std::min(block, end - row));
    });
  }
};

}  // namespace

std::string moments(const Kernels& k, const Threads& threads, const Matrix& x, float* mean, float* variance) {
  const std::string wrong = wrong_with(x);
  if (!wrong.empty()) return wrong;
  const i64 c = x.channels;
  const Parts parts(x, threads.count);
  // Of each part: how many rows are joined, their means, and the sums of squares around them.
  struct Joined {
    double rows = 0;
    std::vector<double> mean, squares;
    void join(double more, size_t i, double its_mean, double its_squares) {
      const double off = its_mean - mean[i], share = more / (rows + more);
      mean[i] += off * share;
      squares[i] += its_squares + off * off * rows * share;
    }
  };
  std::vector<Joined> joined(static_cast<size_t>(parts.count));
  parts.run(threads, static_cast<double>(x.rows * c), [&](i64 part, i64 row, i64 rows) {
    Joined& mine = joined[static_cast<size_t>(part)];
    mine.mean.resize(static_cast<size_t>(c)), mine.squares.resize(static_cast<size_t>(c));
    float *about = memory().output.room(3 * c), *sum = about + c, *squares = sum + c;
    std::fill_n(about, 3 * c, 0.0f);
    const double count = static_cast<double>(rows);
    k.column_sums({nullptr, x.data + row * c, nullptr, about, nullptr, rows, c});
    for (i64 i = 0; i < c; ++i) about[i] /= static_cast<float>(rows);
    // `about` is the mean but for rounding, which the sum of what is left over mends.
    k.column_deviations({nullptr, x.data + row * c, about, sum, squares, rows, c});
    for (i64 i = 0; i < c; ++i) {
      const double rest = sum[i] / count;
      mine.join(count, static_cast<size_t>(i), about[i] + rest, squares[i] - rest * sum[i]);
    }
    mine.rows += count;
  });
  Joined& whole = joined[0];
  for (size_t part = 1; part < joined.size(); ++part) {
    const Joined& next = joined[part];
    for (size_t i = 0; i < next.mean.size(); ++i) whole.join(next.rows, i, next.mean[i], next.squares[i]);
    whole.rows += next.rows;
  }
  for (size_t i = 0; i < static_cast<size_t>(c); ++i) {
    mean[i] = static_cast<float>(whole.mean[i]);
    variance[i] = static_cast<float>(whole.squares[i] / whole.rows);
  }
  return "";
}

std::string moments_grad(const Kernels& k, const Threads& threads, const Matrix& a, const Matrix& x, const float* mean,
                         float* sum, float* product) {
  for (const Matrix* each : {&a, &x}) {
    const std::string wrong = wrong_with(*each);
    if (!wrong.empty()) return wrong;
  }
  if (a.rows != x.rows || a.channels != x.channels) return "the matrices differ in size";
  const i64 c = x.channels;
  const Parts parts(x, threads.count);
  std::vector<double> sums(static_cast<size_t>(parts.count * 2 * c));
  parts.run(threads, 2.0 * static_cast<double>(x.rows * c), [&](i64 part, i64 row, i64 rows) {
    float* own = memory().output.room(2 * c);
    std::fill_n(own, 2 * c, 0.0f);
    k.column_products({a.data + row * c, x.data + row * c, mean, own, own + c, rows, c});
    double* mine = &sums[static_cast<size_t>(part * 2 * c)];
    for (i64 i = 0; i < 2 * c; ++i) mine[i] += own[i];
  });
  for (i64 i = 0; i < 2 * c; ++i) {
    double all = 0;
    for (i64 part = 0; part < parts.count; ++part) all += sums[static_cast<size_t>(part * 2 * c + i)];
    (i < c ? sum[i] : product[i - c]) = static_cast<float>(all);
  }
  return "";
}

}  // namespace hornbill
