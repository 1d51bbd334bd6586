#pragma once
// One place per struct says its fields; JSON and the snapshot's binary form both follow from it:
//
//   struct TaskLeased {
//     std::uint32_t attempt = 0;
//     std::string worker;
//     template <class S, class V> static void fields(S& s, V& v) {
//       v("attempt", s.attempt);
//       v("worker", s.worker);
//     }
//   };
//
// JSON: a member that is an empty string, empty list, empty map, nil id or nullopt is left out;
// reading leaves what is absent at its default and passes over names it does not know, so old and
// new readers agree. An enum needs `enum_names(E)` (found by ADL) giving its names in order.
#include <array>
#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <type_traits>
#include <utility>
#include <vector>

#include "core/base/box.hpp"
#include "core/base/json_read.hpp"
#include "core/base/json_write.hpp"
#include "core/base/time.hpp"
#include "core/base/uuid.hpp"

namespace slipway::base {

template <class E>
concept NamedEnum = std::is_enum_v<E> && requires(E e) {
  enum_names(e)[0];
};

template <NamedEnum E>
std::string_view enum_name(E value) {
  return enum_names(value)[static_cast<std::size_t>(value)];
}
template <NamedEnum E>
std::optional<E> enum_from_name(std::string_view name) {
  const auto& names = enum_names(E{});
  for (std::size_t i = 0; i < names.size(); ++i) {
    if (names[i] == name) return static_cast<E>(i);
  }
  return std::nullopt;
}

// Never called: only asks whether T has fields().
struct AnyVisitor {
  template <class T>
  void operator()(const char*, T&&) {}
};
template <class T>
concept HasFields = std::is_class_v<T> && requires(T& t, AnyVisitor& v) {
  T::fields(t, v);
};

// ---- JSON ----

template <class T>
void write_json(JsonWriter& w, const T& value);

struct JsonFieldsWriter {
  JsonWriter& w;
  template <class T>
  void operator()(const char* name, const T& value) {
    if (is_absent(value)) return;
    w.key(name);
    write_json(w, value);
  }
  template <class T>
  static bool is_absent(const T& value) {
    if constexpr (std::is_base_of_v<Uuid, T>) {
      return value.is_nil();
    } else if constexpr (std::is_same_v<T, RawJson>) {
      return value.text.empty();
    } else if constexpr (requires { value.has_value(); }) {
      return !value.has_value();
    } else if constexpr (requires { value.empty(); }) {
      return value.empty();
    } else {
      return false;
    }
  }
};

namespace detail {
template <class T>
struct IsVector : std::false_type {};
template <class T>
struct IsVector<std::vector<T>> : std::true_type {};
template <class T>
struct IsOptional : std::false_type {};
template <class T>
struct IsOptional<std::optional<T>> : std::true_type {};
template <class T>
struct IsOptional<Box<T>> : std::true_type {};
template <class T>
struct IsMap : std::false_type {};
template <class V>
struct IsMap<std::map<std::string, V>> : std::true_type {};
}  // namespace detail

template <class T>
void write_json(JsonWriter& w, const T& value) {
  if constexpr (NamedEnum<T>) {
    w.value(enum_name(value));
  } else if constexpr (std::is_same_v<T, Duration>) {
    w.value(value.count());
  } else if constexpr (detail::IsOptional<T>::value) {
    if (value) {
      write_json(w, *value);
    } else {
      w.null();
    }
  } else if constexpr (detail::IsVector<T>::value) {
    w.begin_array();
    for (const auto& item : value) write_json(w, item);
    w.end_array();
  } else if constexpr (detail::IsMap<T>::value) {
    w.begin_object();
    for (const auto& [name, item] : value) {
      w.key(name);
      write_json(w, item);
    }
    w.end_object();
  } else if constexpr (HasFields<T>) {
    w.begin_object();
    JsonFieldsWriter fields{w};
    T::fields(value, fields);
    w.end_object();
  } else {
    w.value(value);
  }
}

template <class T>
bool read_json(JsonValue json, T& out);

// Looks for each field where the last one ended: members come in the order in which fields() names
// them unless an older or newer version wrote them, and then the whole object is searched.
struct JsonFieldsReader {
  explicit JsonFieldsReader(JsonValue o) : object(o), next(o) {}
  JsonValue object;
  JsonObjectIterator next;
  const char* bad_field = nullptr;

  template <class T>
  void operator()(const char* name, T& out) {
    if (next && next.key() == name) {
      read(name, next.value(), out);
      ++next;
      return;
    }
    for (JsonObjectIterator it(object); it; ++it) {
      if (it.key() != name) continue;
      read(name, it.value(), out);
      next = it;
      ++next;
      return;
    }
  }
  template <class T>
  void read(const char* name, JsonValue json, T& out) {
    if (!read_json(json, out)) bad_field = name;
  }
};

namespace detail {
template <class T>
bool read_integer(JsonValue json, T& out) {
  if constexpr (std::is_signed_v<T>) {
    const auto number = json.int64();
    if (!number || !std::in_range<T>(*number)) return false;
    out = static_cast<T>(*number);
  } else {
    const auto number = json.uint64();
    if (!number || !std::in_range<T>(*number)) return false;
    out = static_cast<T>(*number);
  }
  return true;
}

template <class T>
bool read_id(JsonValue json, T& out) {
  const auto text = json.string();
  if (!text) return false;
  const auto id = parse_uuid(*text);
  if (!id) return false;
  static_cast<Uuid&>(out) = *id;
  return true;
}

template <class T>
bool read_vector(JsonValue json, T& out) {
  if (!json.is_array()) return false;
  out.clear();
  for (JsonArrayIterator it(json); it; ++it) {
    if (!read_json(it.value(), out.emplace_back())) return false;
  }
  return true;
}

template <class T>
bool read_map(JsonValue json, T& out) {
  if (!json.is_object()) return false;
  out.clear();
  for (JsonObjectIterator it(json); it; ++it) {
    if (!read_json(it.value(), out[std::string(it.key())])) return false;
  }
  return true;
}
}  // namespace detail

// False if the JSON has another type or a name or number out of range; `out` is then unspecified.
template <class T>
bool read_json(JsonValue json, T& out) {
  if constexpr (NamedEnum<T>) {
    const auto text = json.string();
    const auto value = text ? enum_from_name<T>(*text) : std::nullopt;
    if (value) out = *value;
    return value.has_value();
  } else if constexpr (std::is_same_v<T, bool>) {
    const auto flag = json.boolean();
    if (flag) out = *flag;
    return flag.has_value();
  } else if constexpr (std::is_integral_v<T>) {
    return detail::read_integer(json, out);
  } else if constexpr (std::is_same_v<T, double>) {
    const auto number = json.number();
    if (number) out = *number;
    return number.has_value();
  } else if constexpr (std::is_same_v<T, std::string>) {
    const auto text = json.string();
    if (text) out.assign(*text);
    return text.has_value();
  } else if constexpr (std::is_same_v<T, RawJson>) {
    out.text = json.minified();
    return true;
  } else if constexpr (std::is_same_v<T, Time>) {
    const auto text = json.string();
    const auto t = text ? parse_rfc3339(*text) : std::nullopt;
    if (t) out = *t;
    return t.has_value();
  } else if constexpr (std::is_same_v<T, Duration>) {
    const auto us = json.int64();
    if (us) out = Duration(*us);
    return us.has_value();
  } else if constexpr (std::is_base_of_v<Uuid, T>) {
    return detail::read_id(json, out);
  } else if constexpr (detail::IsOptional<T>::value) {
    if (json.is_null()) {
      out.reset();
      return true;
    }
    return read_json(json, out.emplace());
  } else if constexpr (detail::IsVector<T>::value) {
    return detail::read_vector(json, out);
  } else if constexpr (detail::IsMap<T>::value) {
    return detail::read_map(json, out);
  } else {
    static_assert(HasFields<T>, "give the struct fields(), or the enum enum_names()");
    if (!json.is_object()) return false;
    JsonFieldsReader reader(json);
    T::fields(out, reader);
    return reader.bad_field == nullptr;
  }
}

// ---- Binary: snapshots only
// ------------------------------------------------------------------------ Little-endian, no names,
// no tags: readable only by a program with the same fields, which the snapshot's header checks by
// `layout_digest`.

class BinaryWriter {
 public:
  explicit BinaryWriter(std::string& out) : out_(out) {}
  template <class T>
  void operator()(const char*, const T& value) {
    put(value);
  }
  template <class T>
  void put(const T& value) {
    if constexpr (std::is_enum_v<T>) {
      put(static_cast<std::uint32_t>(value));
    } else if constexpr (std::is_arithmetic_v<T>) {
      out_.append(reinterpret_cast<const char*>(&value), sizeof(T));
    } else if constexpr (std::is_same_v<T, Time>) {
      put(to_us(value));
    } else if constexpr (std::is_same_v<T, Duration>) {
      put(value.count());
    } else if constexpr (std::is_base_of_v<Uuid, T>) {
      out_.append(reinterpret_cast<const char*>(value.bytes.data()), value.bytes.size());
    } else if constexpr (std::is_same_v<T, std::string>) {
      put(static_cast<std::uint32_t>(value.size()));
      out_.append(value);
    } else if constexpr (std::is_same_v<T, RawJson>) {
      put(value.text);
    } else if constexpr (detail::IsOptional<T>::value) {
      put(value.has_value());
      if (value) put(*value);
    } else if constexpr (detail::IsVector<T>::value) {
      put(static_cast<std::uint32_t>(value.size()));
      for (const auto& item : value) put(item);
    } else if constexpr (detail::IsMap<T>::value) {
      put(static_cast<std::uint32_t>(value.size()));
      for (const auto& [name, item] : value) {
        put(name);
        put(item);
      }
    } else {
      static_assert(HasFields<T>);
      T::fields(value, *this);
    }
  }

 private:
  std::string& out_;
};

class BinaryReader {
 public:
  explicit BinaryReader(std::string_view in) : in_(in) {}
  bool ok() const { return ok_; }
  bool at_end() const { return in_.empty(); }

  template <class T>
  void operator()(const char*, T& value) {
    get(value);
  }
  template <class T>
  void get(T& value) {
    if constexpr (std::is_enum_v<T>) {
      std::uint32_t raw = 0;
      get(raw);
      value = static_cast<T>(raw);
    } else if constexpr (std::is_same_v<T, bool>) {
      std::uint8_t raw = 0;
      copy(&raw, 1);
      value = raw != 0;
    } else if constexpr (std::is_arithmetic_v<T>) {
      copy(&value, sizeof(T));
    } else if constexpr (std::is_same_v<T, Time>) {
      std::int64_t us = 0;
      get(us);
      value = from_us(us);
    } else if constexpr (std::is_same_v<T, Duration>) {
      std::int64_t us = 0;
      get(us);
      value = Duration(us);
    } else if constexpr (std::is_base_of_v<Uuid, T>) {
      copy(value.bytes.data(), value.bytes.size());
    } else if constexpr (std::is_same_v<T, std::string>) {
      value.assign(text());
    } else if constexpr (std::is_same_v<T, RawJson>) {
      value.text.assign(text());
    } else if constexpr (detail::IsOptional<T>::value) {
      bool has = false;
      get(has);
      if (has) {
        get(value.emplace());
      } else {
        value.reset();
      }
    } else if constexpr (detail::IsVector<T>::value) {
      value.clear();
      for (std::uint32_t n = count(); n > 0 && ok_; --n) get(value.emplace_back());
    } else if constexpr (detail::IsMap<T>::value) {
      value.clear();
      for (std::uint32_t n = count(); n > 0 && ok_; --n) {
        std::string name(text());
        get(value[std::move(name)]);
      }
    } else {
      static_assert(HasFields<T>);
      T::fields(value, *this);
    }
  }

 private:
  void copy(void* to, std::size_t n) {
    if (in_.size() < n) {
      ok_ = false;
      in_ = {};
      return;
    }
    std::memcpy(to, in_.data(), n);
    in_.remove_prefix(n);
  }
  std::uint32_t count() {
    std::uint32_t n = 0;
    get(n);
    return n;
  }
  std::string_view text() {
    const std::uint32_t n = count();
    if (in_.size() < n) {
      ok_ = false;
      in_ = {};
      return {};
    }
    const std::string_view out = in_.substr(0, n);
    in_.remove_prefix(n);
    return out;
  }

  std::string_view in_;
  bool ok_ = true;
};

// Changes when a field of T is added, removed, renamed, reordered or changes its type.
class LayoutDigest {
 public:
  template <class T>
  void operator()(const char* name, T& value) {
    mix(name);
    add(value);
  }
  template <class T>
  void add(T&) {
    using U = std::remove_cv_t<T>;
    if constexpr (detail::IsVector<U>::value || detail::IsOptional<U>::value) {
      mix("[");
      typename U::value_type item{};
      add(item);
    } else if constexpr (detail::IsMap<U>::value) {
      mix("{");
      typename U::mapped_type item{};
      add(item);
    } else if constexpr (HasFields<U>) {
      U sample{};
      mix("(");
      U::fields(sample, *this);
      mix(")");
    } else {
      mix(std::is_enum_v<U>            ? "e"
          : std::is_base_of_v<Uuid, U> ? "u"
          : std::is_signed_v<U>        ? "i"
                                       : "n");
      digest_ = (digest_ ^ sizeof(U)) * 0x100000001B3ULL;
    }
  }
  std::uint64_t digest() const { return digest_; }

 private:
  void mix(std::string_view text) {
    for (const char c : text) {
      digest_ = (digest_ ^ static_cast<unsigned char>(c)) * 0x100000001B3ULL;  // FNV-1a
    }
  }
  std::uint64_t digest_ = 0xCBF29CE484222325ULL;
};

}  // namespace slipway::base
