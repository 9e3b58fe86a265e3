#include "optimizer.h"

#include <algorithm>

#include "product.h"
#include "tasks.h"

namespace hornbill {
namespace {

constexpr i64 kPiece = 32 << 10;      // floats of each array that a task takes
constexpr i64 kSmallTotal = 16 << 10;  // floats of all weights that are not worth a second thread

}  // namespace

void adam(const Kernels& k, Threads threads, const std::vector<AdamArrays>& arrays, float rate, float keep_1,
          float keep_2, float epsilon) {
  struct Piece {
    const AdamArrays* arrays;
    i64 first, count;
  };
  std::vector<Piece> pieces;
  i64 total = 0;
  for (const AdamArrays& a : arrays) {
    total += a.size;
    for (i64 first = 0; first < a.size; first += kPiece)
      pieces.push_back({&a, first, std::min(kPiece, a.size - first)});
  }
  if (total < kSmallTotal) threads.count = 1;
  parallel(threads, static_cast<i64>(pieces.size()), [&](i64 i) {
    const Piece& piece = pieces[static_cast<size_t>(i)];
    const AdamArrays& a = *piece.arrays;
    const i64 at = piece.first;
    k.adam({a.p + at, a.g + at, a.m + at, a.v + at, a.new_p + at, a.new_m + at, a.new_v + at, piece.count, rate, keep_1,
            keep_2, epsilon});
  });
}

}  // namespace hornbill
