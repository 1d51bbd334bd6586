#include "api/dialects/nano/signature.hpp"

#include <fmt/format.h>

#include <algorithm>

namespace slipway::api::nano {
namespace {

constexpr std::string_view kMethod = "Nano-HMAC-SHA256";
constexpr std::string_view kScopeEnd = "/nano_request";
constexpr std::ptrdiff_t kMostHeaders =
    64;  // named as signed: each costs its value, repeated or not

tl::unexpected<base::Error> refused() {
  return base::fail(base::Errc::Unauthenticated, "the signature is missing or wrong");
}

std::string_view trimmed(std::string_view text) {
  while (text.starts_with(' ')) text.remove_prefix(1);
  while (text.ends_with(' ')) text.remove_suffix(1);
  return text;
}

struct Parts {
  std::string_view id;
  std::string_view scope;
  std::string_view headers;
  std::string_view signature;
};

// "Credential=<id>/<scope>, SignedHeaders=<a;b>, Signature=<hex>", in this order.
std::optional<Parts> parse(std::string_view text) {
  if (!text.starts_with(kMethod)) return std::nullopt;
  text = trimmed(text.substr(kMethod.size()));
  Parts parts;
  std::string_view credential;
  const auto take = [&](std::string_view name, std::string_view& into) {
    const std::size_t comma = text.find(',');
    const std::string_view token = trimmed(text.substr(0, comma));
    text = comma == std::string_view::npos ? "" : text.substr(comma + 1);
    if (!token.starts_with(name) || token.size() <= name.size() || token[name.size()] != '=') {
      return false;
    }
    into = trimmed(token.substr(name.size() + 1));
    return !into.empty();
  };
  if (!take("Credential", credential) || !take("SignedHeaders", parts.headers) ||
      !take("Signature", parts.signature) || !text.empty()) {
    return std::nullopt;
  }
  const std::size_t slash = credential.find('/');
  if (slash == std::string_view::npos) return std::nullopt;
  if (std::count(parts.headers.begin(), parts.headers.end(), ';') >= kMostHeaders) {
    return std::nullopt;
  }
  parts.id = credential.substr(0, slash);
  parts.scope = credential.substr(slash + 1);
  return parts;
}

std::string query_line(const Request& request) {
  std::vector<QueryParam> params;
  for (const QueryParam& p : request.query()) {  // of a repeated one the first counts
    const auto same = [&](const QueryParam& known) { return known.name == p.name; };
    if (std::none_of(params.begin(), params.end(), same)) params.push_back(p);
  }
  std::sort(params.begin(), params.end(),
            [](const QueryParam& a, const QueryParam& b) { return a.name < b.name; });
  std::string line;
  for (const QueryParam& p : params) {
    if (!line.empty()) line += '&';
    line += query_escape(p.name) + '=' + query_escape(p.value);
  }
  return line;
}

std::string header_lines(const Request& request, std::string_view names) {
  std::string lines;
  while (!names.empty()) {
    const std::size_t semicolon = names.find(';');
    const std::string_view name = names.substr(0, semicolon);
    names = semicolon == std::string_view::npos ? "" : names.substr(semicolon + 1);
    const std::string_view value = name == "host" ? request.host() : request.header(name);
    if (!value.empty()) lines += fmt::format("{}:{}\n", name, trimmed(value));
  }
  return lines;
}

std::string hash_of(std::string_view text) { return base::hex(base::sha256(text)); }

std::string request_hash(const Request& request, const Parts& parts, SignedBody body) {
  const bool bodiless = request.method() == Method::Get || request.method() == Method::Head ||
                        request.method() == Method::Options;
  std::string text =
      fmt::format("{}\n{}\n{}\n{}", query_escape(query_escape(request.path())), query_line(request),
                  header_lines(request, parts.headers), parts.headers);
  if (body == SignedBody::Whole) {
    text += '\n' + hash_of(bodiless ? std::string_view() : std::string_view(request.body()));
  }
  return hash_of(text);
}

std::string_view bytes_of(const base::Digest& digest) {
  return {reinterpret_cast<const char*>(digest.data()), digest.size()};
}

std::string sign(const base::Secret& secret, std::string_view scope, std::string_view text) {
  const base::Secret key("nano" + std::string(secret.reveal()));
  const base::Digest scoped = base::hmac_sha256(key.reveal(), scope);
  return base::hex(base::hmac_sha256(bytes_of(scoped), text));
}

bool same_day(base::Time a, base::Time b) {
  return std::chrono::floor<std::chrono::days>(a) == std::chrono::floor<std::chrono::days>(b);
}

}  // namespace

base::Result<const CoreKey*> check_signature(const std::vector<CoreKey>& keys,
                                             const Request& request, SignedBody body,
                                             base::Time now) {
  const auto parts = parse(request.header("nano-authorization"));
  if (!parts) return refused();
  const std::string_view date = request.header("nano-date");
  const auto time = base::parse_rfc3339(date);
  if (!time || !same_day(*time, now)) return refused();
  if (request.header("nano-scope") != parts->scope || !parts->scope.ends_with(kScopeEnd)) {
    return refused();
  }
  const auto key =
      std::find_if(keys.begin(), keys.end(), [&](const CoreKey& k) { return k.id == parts->id; });
  if (key == keys.end()) return refused();
  const std::string text = fmt::format("{}\n{}\n{}\n{}", kMethod, date, parts->scope,
                                       request_hash(request, *parts, body));
  if (!base::constant_time_equal(sign(key->secret, parts->scope, text), parts->signature)) {
    return refused();
  }
  return &*key;
}

std::string query_escape(std::string_view text) {
  std::string out;
  for (const char c : text) {
    const bool plain = (c >= '0' && c <= '9') || (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') ||
                       c == '-' || c == '_' || c == '.' || c == '~';
    if (plain) {
      out.push_back(c);
    } else if (c == ' ') {
      out.push_back('+');
    } else {
      out += fmt::format("%{:02X}", static_cast<unsigned char>(c));
    }
  }
  return out;
}

}  // namespace slipway::api::nano
