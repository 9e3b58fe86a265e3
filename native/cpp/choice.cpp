// Which kernels this processor runs.
#include <cstdlib>
#include <string>

#include "driver.h"

#if defined(__linux__) && defined(__x86_64__)
#include <cpuid.h>
#include <sys/syscall.h>
#include <unistd.h>
#endif

namespace hornbill {
namespace {

#if defined(__linux__) && defined(__x86_64__)
// Whether the processor has AMX for bfloat16 and the kernel lets this process use it, which it has to ask for once.
bool may_use_tiles() {
  unsigned a = 0, b = 0, c = 0, d = 0;
  if (!__get_cpuid_count(7, 0, &a, &b, &c, &d)) return false;
  constexpr unsigned kTile = 1u << 24, kBfloat16 = 1u << 22, kAvx512Bfloat16 = 1u << 5;
  if (!(d & kTile) || !(d & kBfloat16)) return false;
  if (!__get_cpuid_count(7, 1, &a, &b, &c, &d) || !(a & kAvx512Bfloat16)) return false;
  constexpr long kRequestPermission = 0x1023, kTileData = 18;
  return syscall(SYS_arch_prctl, kRequestPermission, kTileData) == 0;
}
#else
bool may_use_tiles() { return false; }
#endif

#if defined(__x86_64__) || defined(__i386__)
const Kernels* with_tiles() {
  static const Kernels kernels = [] {
    Kernels made = *avx512_kernels();
    made.name = "amx", made.tiles = may_use_tiles() ? amx_tiles() : nullptr;
    return made;
  }();
  return kernels.tiles ? &kernels : nullptr;
}
#endif

}  // namespace

const Kernels* kernels_named(const std::string& name) {
#if defined(__x86_64__) || defined(__i386__)
  __builtin_cpu_init();
  const bool avx2 = __builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma");
  const bool avx512 = avx2 && __builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512dq") &&
                      __builtin_cpu_supports("avx512bw") && __builtin_cpu_supports("avx512vl");
  if (name == "amx") return avx512 ? with_tiles() : nullptr;
  if (name == "avx512") return avx512 ? avx512_kernels() : nullptr;
  if (name == "avx2") return avx2 ? avx2_kernels() : nullptr;
#endif
  return name == "baseline" ? baseline_kernels() : nullptr;
}

const Kernels& best_kernels() {
  static const Kernels& best = []() -> const Kernels& {
    const char* asked = std::getenv("HORNBILL_NATIVE_ISA");
    if (asked)
      if (const Kernels* k = kernels_named(asked)) return *k;
    for (const char* name : {"amx", "avx512", "avx2"})
      if (const Kernels* k = kernels_named(name)) return *k;
    return *baseline_kernels();
  }();
  return best;
}

}  // namespace hornbill
