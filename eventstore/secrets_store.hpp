#pragma once
// Secrets as the log keeps them: each sealed under a data key of its own, the data key wrapped by
// the master key. Rotation wraps data keys anew and leaves the values as they are; deleting the
// entry deletes the only copy of the data key.
//
// A sealed secret, in LogBatch::secrets under its ref:
//
//   offset size
//        0    1  format: 1
//        1    8  id of the master key that wraps
//        9    2  length of the tenant (little-endian)
//       11    t  tenant
//     11+t   72  data key, sealed under the master key     (nonce 24, key 32, tag 16)
//     83+t    n  value, sealed under the data key          (nonce 24, value, tag 16)
//
// Both sealings carry the same associated data, ref | 0 | tenant: a secret opens only under the
// name and for the tenant it was sealed for, whatever else is moved about in the store.
//
// The master key file holds one key a line in hex, newest first. New secrets use the first; the
// others still open what they wrapped. To rotate: put a new line first, restart, rewrap() every
// secret, then drop the old line.
#include <filesystem>
#include <string>
#include <vector>

#include "core/base/secret.hpp"

namespace slipway::eventstore {

class SecretsStore {
 public:
  // Makes the file, readable by its owner alone, if it is absent and `create` is set. Errors:
  // Forbidden (others may read it), Internal (not a key file), NotFound.
  static base::Result<SecretsStore> open(const std::filesystem::path& key_file, bool create = true);
  // From the text of such a file; `name` is for the message.
  static base::Result<SecretsStore> from_keys(const base::Secret& text, std::string_view name);

  // ---- any thread ----
  std::string seal(std::string_view ref, std::string_view tenant, const base::Secret& value) const;
  // Internal if the bytes are damaged or were sealed under another name, tenant or master key.
  base::Result<base::Secret> open_sealed(std::string_view sealed, std::string_view ref,
                                         std::string_view tenant) const;
  bool needs_rewrap(std::string_view sealed) const;
  // The same secret under the newest master key, the value's bytes unchanged.
  base::Result<std::string> rewrap(std::string_view sealed, std::string_view ref,
                                   std::string_view tenant) const;

 private:
  struct MasterKey {
    std::string id;
    base::LockedKey key;
  };
  struct Parts;
  explicit SecretsStore(std::vector<MasterKey> keys) : keys_(std::move(keys)) {}
  base::Result<Parts> open_data_key(std::string_view sealed, std::string_view ref,
                                    std::string_view tenant) const;

  std::vector<MasterKey> keys_;  // newest first, never empty
};

}  // namespace slipway::eventstore
