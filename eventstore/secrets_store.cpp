#include "eventstore/secrets_store.hpp"

#include <fmt/format.h>
#include <sys/stat.h>

#include <algorithm>
#include <charconv>

#include "core/base/check.hpp"
#include "eventstore/bytes.hpp"
#include "eventstore/durable_file.hpp"

namespace slipway::eventstore {
namespace {

namespace fs = std::filesystem;
using base::Errc;
using base::fail;
using base::Key;
using base::Result;
using base::Secret;
using base::Status;

constexpr char kFormat = 1;
constexpr std::size_t kIdBytes = 8;
constexpr std::size_t kTenantLength = 1 + kIdBytes;
constexpr std::size_t kTenant = kTenantLength + 2;
constexpr std::size_t kWrappedBytes = 24 + base::kKeyBytes + 16;
constexpr unsigned kOwnerOnly = 0600;

std::string_view view(const Key& key) {
  return {reinterpret_cast<const char*>(key.data()), key.size()};
}

std::string associated(std::string_view ref, std::string_view tenant) {
  std::string data(ref);
  data += '\0';
  data += tenant;
  return data;
}

std::string key_id(const Key& key) {
  const base::Digest digest = base::blake2b("slipway master key id", view(key));
  return {reinterpret_cast<const char*>(digest.data()), kIdBytes};
}

Result<Key> parse_key(std::string_view line) {
  Key key;
  if (line.size() != 2 * key.size()) return fail(Errc::Internal, "a key has 64 hex digits");
  for (std::size_t i = 0; i < key.size(); ++i) {
    const char* from = line.data() + 2 * i;
    if (std::from_chars(from, from + 2, key[i], 16).ptr != from + 2) {
      return fail(Errc::Internal, "a key has hex digits only");
    }
  }
  return key;
}

Status check_private(const fs::path& file) {
  struct stat about {};
  if (::stat(file.c_str(), &about) != 0) return os_error("stat", file);
  if ((about.st_mode & 077) != 0) {
    return fail(Errc::Forbidden,
                fmt::format("{} may be read by others: chmod 600 it", file.string()));
  }
  return {};
}

Status make_key_file(const fs::path& file) {
  Key key = base::random_key();
  const Secret line(base::hex(key) + "\n");
  // Not by and by under its name: what a power cut left of it would be no key, and stop each start.
  return create_file_atomically(file, line.reveal(), kOwnerOnly);
}

}  // namespace

struct SecretsStore::Parts {
  std::size_t master = 0;
  Secret data_key;
  std::string_view value;
  Key key() const {
    Key out;
    std::copy_n(data_key.reveal().begin(), out.size(), out.begin());
    return out;
  }
};

Result<SecretsStore> SecretsStore::open(const fs::path& key_file, bool create) {
  base::crypto_init();
  if (!fs::exists(key_file)) {
    if (!create) {
      return fail(Errc::NotFound, fmt::format("there is no master key file {}", key_file.string()));
    }
    if (auto made = make_key_file(key_file); !made) return fail(made.error());
  }
  if (auto ok = check_private(key_file); !ok) return fail(ok.error());
  auto text = read_file(key_file);
  if (!text) return fail(text.error());
  return from_keys(Secret(std::move(*text)), key_file.string());
}

Result<SecretsStore> SecretsStore::from_keys(const Secret& text, std::string_view name) {
  base::crypto_init();
  std::vector<MasterKey> keys;
  for (std::string_view rest = text.reveal(); !rest.empty();) {
    const std::size_t end = std::min(rest.find('\n'), rest.size());
    const std::string_view line = rest.substr(0, end);
    rest.remove_prefix(std::min(end + 1, rest.size()));
    if (line.empty()) continue;
    const auto key = parse_key(line);
    if (!key) return fail(Errc::Internal, fmt::format("{}: {}", name, key.error().message));
    keys.push_back({key_id(*key), base::LockedKey(*key)});
  }
  if (keys.empty()) return fail(Errc::Internal, fmt::format("{} holds no key", name));
  return SecretsStore(std::move(keys));
}

std::string SecretsStore::seal(std::string_view ref, std::string_view tenant,
                               const Secret& value) const {
  CHECK(tenant.size() <= 0xFFFF, "a tenant of {} bytes", tenant.size());
  const std::string data = associated(ref, tenant);
  const Key key = base::random_key();
  std::string out(1, kFormat);
  out += keys_.front().id;
  append_le(out, static_cast<std::uint16_t>(tenant.size()));
  out += tenant;
  out += base::seal(keys_.front().key.get(), view(key), data);
  out += base::seal(key, value.reveal(), data);
  return out;
}

Result<SecretsStore::Parts> SecretsStore::open_data_key(std::string_view sealed,
                                                        std::string_view ref,
                                                        std::string_view tenant) const {
  if (sealed.size() < kTenant || sealed[0] != kFormat) {
    return fail(Errc::Internal, "a sealed secret has an unknown format");
  }
  const std::size_t tenant_size = get_le<std::uint16_t>(sealed.data() + kTenantLength);
  const std::size_t wrapped_at = kTenant + tenant_size;
  if (sealed.size() < wrapped_at + kWrappedBytes) {
    return fail(Errc::Internal, "a sealed secret is too short");
  }
  const auto master = std::find_if(keys_.begin(), keys_.end(), [&](const MasterKey& key) {
    return key.id == sealed.substr(1, kIdBytes);
  });
  if (master == keys_.end()) {
    return fail(Errc::Internal, "the master key of a sealed secret is not in the key file");
  }
  auto key = base::open_sealed(master->key.get(), sealed.substr(wrapped_at, kWrappedBytes),
                               associated(ref, tenant));
  if (!key) return fail(key.error());
  Parts parts;
  parts.master = static_cast<std::size_t>(master - keys_.begin());
  parts.data_key = Secret(std::move(*key));
  parts.value = sealed.substr(wrapped_at + kWrappedBytes);
  return parts;
}

Result<Secret> SecretsStore::open_sealed(std::string_view sealed, std::string_view ref,
                                         std::string_view tenant) const {
  const auto parts = open_data_key(sealed, ref, tenant);
  if (!parts) return fail(parts.error());
  auto plain = base::open_sealed(parts->key(), parts->value, associated(ref, tenant));
  if (!plain) return fail(plain.error());
  return Secret(std::move(*plain));
}

bool SecretsStore::needs_rewrap(std::string_view sealed) const {
  return sealed.size() > kIdBytes && sealed.substr(1, kIdBytes) != keys_.front().id;
}

Result<std::string> SecretsStore::rewrap(std::string_view sealed, std::string_view ref,
                                         std::string_view tenant) const {
  const auto parts = open_data_key(sealed, ref, tenant);
  if (!parts) return fail(parts.error());
  std::string out(1, kFormat);
  out += keys_.front().id;
  append_le(out, static_cast<std::uint16_t>(tenant.size()));
  out += tenant;
  out += base::seal(keys_.front().key.get(), parts->data_key.reveal(), associated(ref, tenant));
  out += parts->value;
  return out;
}

}  // namespace slipway::eventstore
