#pragma once
// For a variant of very many types that is used in very many files: a class of its own, derived
// from the variant, whose making, copying, moving and destruction are compiled in one file. A plain
// std::variant has each user compile all of that for all its types (half a minute a file for the
// events). std::visit, std::get, std::get_if and index() work as on the variant.
//
//   struct Body : std::variant<A, B, C> {          // body.hpp
//     SLIPWAY_ONE_OF(Body, std::variant<A, B, C>)
//   };
//   SLIPWAY_ONE_OF_DEFINE(Body)                    // body.cpp
#include <array>
#include <cstddef>
#include <type_traits>
#include <utility>
#include <variant>

namespace slipway::base {

template <class E, class V>
struct PlaceIn;
template <class E, class... T>
struct PlaceIn<E, std::variant<T...>> {
  static constexpr std::size_t find() {
    std::size_t place = 0;
    (void)((std::is_same_v<E, T> || (++place, false)) || ...);
    return place;
  }
  static constexpr std::size_t value = find();
  static constexpr bool found = value < sizeof...(T);
};
template <class E, class V>
concept AlternativeOf = PlaceIn<E, V>::found;

// Makes the variant of what `from` points to, an object of its `place`th type.
template <class V>
V variant_of(std::size_t place, void* from) {
  return [&]<std::size_t... I>(std::index_sequence<I...>) {
    using Make = V (*)(void*);
    static constexpr std::array<Make, sizeof...(I)> kMakers = {[](void* p) {
      using E = std::variant_alternative_t<I, V>;
      return V(std::in_place_index<I>, std::move(*static_cast<E*>(p)));
    }...};
    return kMakers[place](from);
  }
  (std::make_index_sequence<std::variant_size_v<V>>());
}

}  // namespace slipway::base

#define SLIPWAY_ONE_OF(Name, ...)                                                   \
  using Variant = __VA_ARGS__;                                                      \
  Name();                                                                           \
  template <::slipway::base::AlternativeOf<Variant> E>                              \
  Name(E e) : Name(::slipway::base::PlaceIn<E, Variant>::value, &e) {} /* NOLINT */ \
  Name(const Name&);                                                                \
  Name(Name&&) noexcept;                                                            \
  Name& operator=(const Name&);                                                     \
  Name& operator=(Name&&) noexcept;                                                 \
  ~Name();                                                                          \
                                                                                    \
 private:                                                                           \
  Name(std::size_t place, void* from);

#define SLIPWAY_ONE_OF_DEFINE(Name)                 \
  Name::Name() = default;                           \
  Name::Name(const Name&) = default;                \
  Name::Name(Name&&) noexcept = default;            \
  Name& Name::operator=(const Name&) = default;     \
  Name& Name::operator=(Name&&) noexcept = default; \
  Name::~Name() = default;                          \
  Name::Name(std::size_t place, void* from)         \
      : Variant(::slipway::base::variant_of<Variant>(place, from)) {}
