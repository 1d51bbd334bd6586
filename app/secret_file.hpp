#pragma once
// Secrets come from files, never from values.
#include "app/config.hpp"
#include "core/base/result.hpp"
#include "core/base/secret.hpp"

namespace slipway::app {

// The file's text without the line end. A path without '/' is looked up in $CREDENTIALS_DIRECTORY
// (systemd's LoadCredential=) first. Errors: NotFound; Forbidden, if group or others may read it
// (not asked of $CREDENTIALS_DIRECTORY, which systemd guards); InvalidArgument, if it is empty or
// over 64 KiB. Messages name the file and never its content.
base::Result<base::Secret> read_secret(const SecretFile& file);

// The path that read_secret would open, for components that read a key file themselves.
std::string secret_path(const SecretFile& file);

}  // namespace slipway::app
