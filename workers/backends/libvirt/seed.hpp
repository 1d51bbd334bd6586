#pragma once
// An ISO 9660 file in memory, written by libarchive. Pure.
#include <string>
#include <utility>
#include <vector>

namespace slipway::workers::libvirt {

// Files in its root, by name. Internal (thrown) if the library fails.
std::string iso_image(const std::string& label,
                      const std::vector<std::pair<std::string, std::string>>& files);

// A YAML scalar that stands for exactly that text: in double quotes, escaped.
std::string yaml_text(std::string_view text);

}  // namespace slipway::workers::libvirt
