#include "transcode/values.h"

namespace klystron {
namespace {

using Wide = __int128;

bool Digit(char c) { return c >= '0' && c <= '9'; }

void AppendWide(Wide value, std::string* out) {
  if (value < 0) { *out += '-'; value = -value; }
  char buffer[48];
  int at = 48;
  do { buffer[--at] = static_cast<char>('0' + static_cast<int>(value % 10)); value /= 10; } while (value > 0);
  out->append(buffer + at, static_cast<size_t>(48 - at));
}

enum class Format { kDecimal, kBinary, kExponent };
constexpr std::string_view kDecimalSuffixes[] = {"n", "u", "m", "", "k", "M", "G", "T", "P", "E"};
constexpr std::string_view kBinarySuffixes[] = {"", "Ki", "Mi", "Gi", "Ti", "Pi", "Ei"};

// Reads a suffix: the power of ten, or of 1024.
bool ReadSuffix(std::string_view text, Format* format, int* power) {
  *format = Format::kDecimal;
  for (int i = 0; i < 10; i++) {
    if (text == kDecimalSuffixes[i]) { *power = 3 * i - 9; return true; }
  }
  *format = Format::kBinary;
  for (int i = 1; i < 7; i++) {
    if (text == kBinarySuffixes[i]) { *power = i; return true; }
  }
  *format = Format::kExponent;
  if (text.size() < 2 || (text[0] != 'e' && text[0] != 'E')) return false;
  text.remove_prefix(1);
  const bool negative = text[0] == '-';
  if (negative || text[0] == '+') text.remove_prefix(1);
  if (text.empty() || text.size() > 3) return false;
  *power = 0;
  for (const char c : text) {
    if (!Digit(c)) return false;
    *power = *power * 10 + (c - '0');
  }
  if (negative) *power = -*power;
  return true;
}

}  // namespace

bool CanonicalQuantity(std::string_view text, std::string* out) {
  std::string_view rest = text;
  const bool negative = !rest.empty() && rest[0] == '-';
  if (negative || (!rest.empty() && rest[0] == '+')) rest.remove_prefix(1);
  Wide mantissa = 0;
  int digits = 0, fraction = 0, seen = 0;
  bool point = false;
  while (!rest.empty() && (Digit(rest[0]) || (rest[0] == '.' && !point))) {
    if (rest[0] == '.') { point = true; rest.remove_prefix(1); continue; }
    seen++;
    if (digits > 0 || rest[0] != '0') digits++;
    if (digits > 27) { *out += text; return true; }
    mantissa = mantissa * 10 + (rest[0] - '0');
    if (point) fraction++;
    rest.remove_prefix(1);
  }
  Format format;
  int power = 0;
  if (seen == 0 || !ReadSuffix(rest, &format, &power)) return false;
  // To nano units, rounding away from zero.
  int ten = 9 - fraction;
  if (format == Format::kBinary) {
    for (int i = 0; i < power; i++) {
      if (mantissa > (static_cast<Wide>(1) << 110)) { *out += text; return true; }
      mantissa *= 1024;
    }
  } else {
    ten += power;
  }
  for (; ten > 0 && mantissa != 0; ten--) {
    if (mantissa > (static_cast<Wide>(1) << 120)) { *out += text; return true; }
    mantissa *= 10;
  }
  bool lost = false;
  for (; ten < 0 && mantissa != 0; ten++) { lost = lost || mantissa % 10 != 0; mantissa /= 10; }
  if (lost) mantissa++;
  if (mantissa == 0) { *out += '0'; return true; }
  constexpr Wide kOne = 1'000'000'000;
  if (negative) *out += '-';
  if (format == Format::kBinary && mantissa >= 1024 * kOne) {
    mantissa = (mantissa + kOne - 1) / kOne;
    int suffix = 0;
    while (suffix < 6 && mantissa % 1024 == 0) { mantissa /= 1024; suffix++; }
    AppendWide(mantissa, out);
    *out += kBinarySuffixes[suffix];
    return true;
  }
  int suffix = 0;
  const int most = format == Format::kExponent ? 300 : 9;
  while (suffix < most && mantissa % 1000 == 0) { mantissa /= 1000; suffix++; }
  AppendWide(mantissa, out);
  if (format != Format::kExponent) { *out += kDecimalSuffixes[suffix]; return true; }
  if (suffix != 3) out->append("e").append(std::to_string(3 * suffix - 9));
  return true;
}

bool IsCanonicalQuantity(std::string_view text) {
  size_t i = 0;
  while (i < text.size() && Digit(text[i])) i++;
  if (i == 0 || i > 3 || text[0] == '0') return false;
  const std::string_view suffix = text.substr(i);
  return suffix.empty() || suffix == "m" || (i <= 3 && (suffix == "Ki" || suffix == "Mi" || suffix == "Gi"));
}

void AppendTime(int64_t seconds, int32_t nanos, bool micro, std::string* out) {
  int64_t days = seconds / 86400;
  int64_t rest = seconds % 86400;
  if (rest < 0) { rest += 86400; days--; }
  // Days since 1970-01-01 to a date of the proleptic Gregorian calendar.
  const int64_t z = days + 719468;
  const int64_t era = (z >= 0 ? z : z - 146096) / 146097;
  const int64_t doe = z - era * 146097;
  const int64_t yoe = (doe - doe / 1460 + doe / 36524 - doe / 146096) / 365;
  const int64_t doy = doe - (365 * yoe + yoe / 4 - yoe / 100);
  const int64_t mp = (5 * doy + 2) / 153;
  const int month = static_cast<int>(mp < 10 ? mp + 3 : mp - 9);
  const long long year = yoe + era * 400 + (month <= 2 ? 1 : 0);
  char text[40];
  char* p = text;
  const auto two = [&](int64_t value) {
    *p++ = static_cast<char>('0' + value / 10 % 10);
    *p++ = static_cast<char>('0' + value % 10);
  };
  two(year / 100);
  two(year % 100);
  *p++ = '-';
  two(month);
  *p++ = '-';
  two(doy - (153 * mp + 2) / 5 + 1);
  *p++ = 'T';
  two(rest / 3600);
  *p++ = ':';
  two(rest / 60 % 60);
  *p++ = ':';
  two(rest % 60);
  if (micro) {
    *p++ = '.';
    two(nanos / 10'000'000);
    two(nanos / 100'000 % 100);
    two(nanos / 1000 % 100);
  }
  out->append(text, static_cast<size_t>(p - text));
  *out += 'Z';
}

bool ParseTime(std::string_view text, int64_t* seconds, int32_t* nanos) {
  const auto number = [&](size_t at, size_t size, int* value) {
    if (at + size > text.size()) return false;
    *value = 0;
    for (size_t i = at; i < at + size; i++) {
      if (!Digit(text[i])) return false;
      *value = *value * 10 + (text[i] - '0');
    }
    return true;
  };
  int year, month, day, hour, minute, second;
  if (!number(0, 4, &year) || !number(5, 2, &month) || !number(8, 2, &day) || !number(11, 2, &hour) ||
      !number(14, 2, &minute) || !number(17, 2, &second)) return false;
  if (text[4] != '-' || text[7] != '-' || text[10] != 'T' || text[13] != ':' || text[16] != ':') return false;
  if (month < 1 || month > 12 || day < 1 || day > 31 || hour > 23 || minute > 59 || second > 59) return false;
  size_t at = 19;
  *nanos = 0;
  if (at < text.size() && text[at] == '.') {
    int scale = 100'000'000;
    for (at++; at < text.size() && Digit(text[at]); at++) { *nanos += (text[at] - '0') * scale; scale /= 10; }
  }
  int offset = 0;
  if (at < text.size() && text[at] == 'Z') {
    at++;
  } else if (at < text.size() && (text[at] == '+' || text[at] == '-')) {
    int h = 0, m = 0;
    if (!number(at + 1, 2, &h) || !number(at + 4, 2, &m)) return false;
    offset = (h * 3600 + m * 60) * (text[at] == '-' ? -1 : 1);
    at += 6;
  } else {
    return false;
  }
  if (at != text.size()) return false;
  const int64_t y = year - (month <= 2 ? 1 : 0);
  const int64_t era = (y >= 0 ? y : y - 399) / 400;
  const int64_t yoe = y - era * 400;
  const int64_t doy = (153 * (month + (month > 2 ? -3 : 9)) + 2) / 5 + day - 1;
  const int64_t days = era * 146097 + yoe * 365 + yoe / 4 - yoe / 100 + doy - 719468;
  *seconds = days * 86400 + hour * 3600 + minute * 60 + second - offset;
  return true;
}

void AppendDuration(int64_t nanos, std::string* out) {
  if (nanos == 0) { *out += "0s"; return; }
  if (nanos < 0) *out += '-';
  uint64_t left = nanos < 0 ? 0 - static_cast<uint64_t>(nanos) : static_cast<uint64_t>(nanos);
  const auto fraction = [&](uint64_t value, uint64_t unit, const char* name) {
    *out += std::to_string(value / unit);
    uint64_t rest = value % unit;
    if (rest > 0) {
      std::string digits = std::to_string(unit + rest).substr(1);
      while (digits.back() == '0') digits.pop_back();
      out->append(".").append(digits);
    }
    *out += name;
  };
  if (left < 1000) { fraction(left, 1, "ns"); return; }
  if (left < 1'000'000) { fraction(left, 1000, "\xc2\xb5s"); return; }
  if (left < 1'000'000'000) { fraction(left, 1'000'000, "ms"); return; }
  const uint64_t minutes = left / 60'000'000'000;
  if (minutes >= 60) out->append(std::to_string(minutes / 60)).append("h");
  if (minutes > 0) out->append(std::to_string(minutes % 60)).append("m");
  fraction(left % 60'000'000'000, 1'000'000'000, "s");
}

bool ParseDuration(std::string_view text, int64_t* nanos) {
  const bool negative = !text.empty() && text[0] == '-';
  if (negative || (!text.empty() && text[0] == '+')) text.remove_prefix(1);
  *nanos = 0;
  if (text == "0") return true;
  if (text.empty()) return false;
  Wide total = 0;
  while (!text.empty()) {
    Wide value = 0, scale = 1;
    size_t i = 0;
    bool point = false, any = false;
    for (; i < text.size() && (Digit(text[i]) || (text[i] == '.' && !point)) && i < 30; i++) {
      if (text[i] == '.') { point = true; continue; }
      any = true;
      if (point && scale >= 1'000'000'000'000) continue;
      value = value * 10 + (text[i] - '0');
      if (point) scale *= 10;
    }
    if (!any || value > (static_cast<Wide>(1) << 80)) return false;
    size_t end = i;
    while (end < text.size() && !Digit(text[end]) && text[end] != '.') end++;
    const std::string_view unit = text.substr(i, end - i);
    Wide factor = 0;
    if (unit == "ns") factor = 1;
    else if (unit == "us" || unit == "\xc2\xb5s" || unit == "\xce\xbcs") factor = 1000;
    else if (unit == "ms") factor = 1'000'000;
    else if (unit == "s") factor = 1'000'000'000;
    else if (unit == "m") factor = 60'000'000'000;
    else if (unit == "h") factor = 3'600'000'000'000;
    else return false;
    total += value * factor / scale;
    if (total > INT64_MAX) return false;
    text.remove_prefix(end);
  }
  *nanos = static_cast<int64_t>(negative ? -total : total);
  return true;
}

}  // namespace klystron
