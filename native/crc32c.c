/*
 * Owns CRC-32C by the processor's own instruction, as an addon for Node. Any thread, several at a time: it keeps no state. It must not
 * read outside of the view that it is given, and must not need anything of the C library, so that one file serves every Linux.
 *
 * The instruction takes 8 bytes, and its result comes 3 cycles later, but a processor can begin one in each cycle. One checksum is a chain
 * in which each step needs the one before, so it uses a third of that. Here the bytes are cut into three parts of equal length, whose chains
 * run side by side and are then joined.
 *
 * What joins them. Bytes are polynomials over GF(2), and a CRC is a remainder modulo the polynomial P of CRC-32C. The chains have
 *
 *   a = the CRC of the first part, continued from what came before;   b, c = the CRC of the second and third part, each begun with 0.
 *
 * A CRC is linear, and n more bits multiply the remainder by x^n. With parts of n bits the CRC of all three is
 *
 *   a * x^(2n) + b * x^n + c   (mod P)
 *
 * The carry-less multiplication of the processor makes such a product, of 63 bits. It need not be reduced by itself: the instruction reduces
 * the word it is given, so both products are added to the last word of the third part. Bits are in reflected order here (the lowest is the
 * highest power). A word w adds w * x^32 to the result, and a reflected product is short of one power of x. So the factors are
 *
 *   after_two = x^(2n - 33) mod P,   after_one = x^(n - 33) mod P
 *
 * To get one: begin with 0x80000000, which is x^0, and multiply by x as often as the power says: r = r & 1 ? (r >> 1) ^ 0x82f63b78 : r >> 1.
 *
 * What JavaScript sees: crc32c(bytes, start, end), see `crc32c` below. Where the processor lacks an instruction the addon exports nothing.
 */

#include <node_api.h>
#include <stdint.h>
#include <string.h>

#if defined(NO_INSTRUCTIONS)

/* For a test: as on a processor that lacks them. */

#elif defined(__x86_64__)

#include <cpuid.h>
#include <nmmintrin.h>
#include <wmmintrin.h>

#define HAS_CODE 1
/* Only functions marked with it may use the instructions; the rest of the file runs on every processor of this architecture. */
#define WITH_INSTRUCTIONS __attribute__((target("sse4.2,pclmul")))

static int has_instructions(void) {
  unsigned int a, b, c, d;
  const unsigned int sse42 = 1u << 20, pclmulqdq = 1u << 1;
  if (!__get_cpuid(1, &a, &b, &c, &d)) return 0;
  return (c & sse42) != 0 && (c & pclmulqdq) != 0;
}

/* What the instruction for 8 bytes takes and gives. Its upper half is 0; as an uint32_t it would be cut again in each step of a chain. */
typedef uint64_t chain;

#define STEP_8(crc, word) _mm_crc32_u64((crc), (word))
#define STEP_4(crc, word) _mm_crc32_u32((uint32_t)(crc), (word))
#define STEP_2(crc, word) _mm_crc32_u16((uint32_t)(crc), (word))
#define STEP_1(crc, word) _mm_crc32_u8((uint32_t)(crc), (word))

WITH_INSTRUCTIONS static inline uint64_t product(chain a, uint32_t factor) {
  const __m128i both = _mm_clmulepi64_si128(_mm_cvtsi64_si128((int64_t)a), _mm_cvtsi64_si128((int64_t)factor), 0);
  return (uint64_t)_mm_cvtsi128_si64(both);
}

#elif defined(__aarch64__) && (defined(__linux__) || defined(__APPLE__))

#define HAS_CODE 1
/* In assembly, because compilers differ in what their headers need before they offer these instructions. */
#define WITH_INSTRUCTIONS

#if defined(__linux__)

/* Of the C library that Node runs on. */
extern unsigned long getauxval(unsigned long type);

static int has_instructions(void) {
  const unsigned long hardware_capabilities = 16, pmull = 1ul << 4, crc32 = 1ul << 7;
  const unsigned long found = getauxval(hardware_capabilities);
  return (found & pmull) != 0 && (found & crc32) != 0;
}

#else

/* Every Mac of this architecture has both. */
static int has_instructions(void) { return 1; }

#endif

typedef uint32_t chain;

static inline uint32_t STEP_8(uint32_t crc, uint64_t word) {
  __asm__(".arch_extension crc\n\tcrc32cx %w0, %w0, %x1" : "+r"(crc) : "r"(word));
  return crc;
}

static inline uint32_t STEP_4(uint32_t crc, uint32_t word) {
  __asm__(".arch_extension crc\n\tcrc32cw %w0, %w0, %w1" : "+r"(crc) : "r"(word));
  return crc;
}

static inline uint32_t STEP_2(uint32_t crc, uint16_t word) {
  __asm__(".arch_extension crc\n\tcrc32ch %w0, %w0, %w1" : "+r"(crc) : "r"((uint32_t)word));
  return crc;
}

static inline uint32_t STEP_1(uint32_t crc, uint8_t word) {
  __asm__(".arch_extension crc\n\tcrc32cb %w0, %w0, %w1" : "+r"(crc) : "r"((uint32_t)word));
  return crc;
}

static inline uint64_t product(chain a, uint32_t factor) {
  uint64_t both;
  __asm__(
      ".arch_extension aes\n\t"
      "fmov d16, %x1\n\t"
      "fmov d17, %x2\n\t"
      "pmull v16.1q, v16.1d, v17.1d\n\t"
      "fmov %x0, d16"
      : "=r"(both)
      : "r"((uint64_t)a), "r"((uint64_t)factor)
      : "v16", "v17");
  return both;
}

#endif

#if defined(HAS_CODE)

#define FOR_SPEED WITH_INSTRUCTIONS static inline __attribute__((always_inline))

/* The bytes of an integer at any alignment. The compiler makes one load of it. Node runs on little-endian processors of these architectures. */
FOR_SPEED uint64_t word_8(const uint8_t *at) {
  uint64_t word;
  memcpy(&word, at, sizeof word);
  return word;
}

FOR_SPEED uint32_t word_4(const uint8_t *at) {
  uint32_t word;
  memcpy(&word, at, sizeof word);
  return word;
}

FOR_SPEED uint16_t word_2(const uint8_t *at) {
  uint16_t word;
  memcpy(&word, at, sizeof word);
  return word;
}

/* Three parts of `part` bytes each, a multiple of 8, at once. The factors are those of the first comment for that length. */
FOR_SPEED chain three_parts(chain crc, const uint8_t *bytes, size_t part, uint32_t after_two, uint32_t after_one) {
  const uint8_t *second = bytes + part, *third = second + part;
  const size_t last = part - 8;
  chain a = crc, b = 0, c = 0;
  for (size_t at = 0; at < last; at += 8) {
    a = STEP_8(a, word_8(bytes + at));
    b = STEP_8(b, word_8(second + at));
    c = STEP_8(c, word_8(third + at));
  }
  a = STEP_8(a, word_8(bytes + last));
  b = STEP_8(b, word_8(second + last));
  return STEP_8(c, word_8(third + last) ^ product(a, after_two) ^ product(b, after_one));
}

/*
 * Joining takes some 20 cycles, a step of three words takes 3. So long parts cost least, and short ones leave less for the one chain
 * at the end. bench/micro/codec.ts measures what comes out.
 */
enum { LONG_PART = 2048, MIDDLE_PART = 256, SHORT_PART = 64 };

WITH_INSTRUCTIONS static uint32_t checksum(const uint8_t *bytes, size_t length) {
  chain crc = 0xffffffffu;
  for (; length >= 3 * LONG_PART; bytes += 3 * LONG_PART, length -= 3 * LONG_PART)
    crc = three_parts(crc, bytes, LONG_PART, 0x82f89c77u, 0xa51b6135u);
  for (; length >= 3 * MIDDLE_PART; bytes += 3 * MIDDLE_PART, length -= 3 * MIDDLE_PART)
    crc = three_parts(crc, bytes, MIDDLE_PART, 0xdd7e3b0cu, 0xb9e02b86u);
  for (; length >= 3 * SHORT_PART; bytes += 3 * SHORT_PART, length -= 3 * SHORT_PART)
    crc = three_parts(crc, bytes, SHORT_PART, 0x0d3b6092u, 0x9e4addf8u);
  for (; length >= 8; bytes += 8, length -= 8) crc = STEP_8(crc, word_8(bytes));
  if (length & 4) {
    crc = STEP_4(crc, word_4(bytes));
    bytes += 4;
  }
  if (length & 2) {
    crc = STEP_2(crc, word_2(bytes));
    bytes += 2;
  }
  if (length & 1) crc = STEP_1(crc, *bytes);
  return ~(uint32_t)crc;
}

/* The result is not used when an error was thrown. A failure to throw means that another one is pending, which then is the one to see. */
static napi_value wrong_type(napi_env env, const char *text) {
  (void)napi_throw_type_error(env, "ERR_INVALID_ARG_TYPE", text);
  return NULL;
}

static napi_value out_of_range(napi_env env, const char *text) {
  (void)napi_throw_range_error(env, "ERR_OUT_OF_RANGE", text);
  return NULL;
}

/*
 * crc32c(bytes: Uint8Array, start: number, end: number): number
 *
 * The CRC-32C of bytes[start, end), as an int32, for which V8 needs no memory: `>>> 0` makes the uint32 of it. The memory may be shared;
 * if another thread writes to it meanwhile, the result is of some mixture. Throws TypeError, and RangeError for a range outside of the view.
 *
 * The length and the address come from N-API alone and are those of this moment; JavaScript cannot run until the function returns, so the
 * memory of the view can neither be moved to another thread nor become shorter, and shared memory never does.
 */
static napi_value crc32c(napi_env env, napi_callback_info info) {
  napi_value arguments[3];
  size_t count = 3;
  if (napi_get_cb_info(env, info, &count, arguments, NULL, NULL) != napi_ok) return wrong_type(env, "no arguments");

  napi_typedarray_type type;
  void *data;
  size_t length;
  /* N-API fills the arguments that are missing with undefined. */
  if (napi_get_typedarray_info(env, arguments[0], &type, &length, &data, NULL, NULL) != napi_ok || type != napi_uint8_array)
    return wrong_type(env, "bytes must be a Uint8Array");

  double start, end;
  if (napi_get_value_double(env, arguments[1], &start) != napi_ok || napi_get_value_double(env, arguments[2], &end) != napi_ok)
    return wrong_type(env, "start and end must be numbers");
  /* All comparisons with NaN are false. Up to 2^53 a size is exact as a double, and no view is longer. */
  if (!(start >= 0 && start <= end && end <= (double)length))
    return out_of_range(env, "start and end must be a range within bytes: 0 <= start <= end <= bytes.length");
  const size_t from = (size_t)start, to = (size_t)end;
  if ((double)from != start || (double)to != end) return out_of_range(env, "start and end must be integers");

  /* A view without memory has no address, and a sum with that is undefined. */
  const uint32_t crc = from == to ? 0 : checksum((const uint8_t *)data + from, to - from);
  napi_value result;
  if (napi_create_int32(env, (int32_t)crc, &result) != napi_ok) return wrong_type(env, "no result");
  return result;
}

#endif

/* Runs in each thread that loads the addon. The caller checks what is exported, so no error needs to be told here. */
NAPI_MODULE_INIT() {
#if defined(HAS_CODE)
  napi_value function;
  if (has_instructions() && napi_create_function(env, "crc32c", NAPI_AUTO_LENGTH, crc32c, NULL, &function) == napi_ok)
    (void)napi_set_named_property(env, exports, "crc32c", function);
#else
  (void)env;
#endif
  return exports;
}
