// The NoCloud seed: what cloud-init of the guest reads at its first boot.
#include "workers/backends/libvirt/seed.hpp"

#include <archive.h>
#include <archive_entry.h>
#include <fmt/format.h>

#include <memory>

#include "workers/backends/libvirt/steps.hpp"

namespace slipway::workers::libvirt {

namespace {

struct FreeArchive {
  void operator()(archive* a) const { archive_write_free(a); }
};
struct FreeEntry {
  void operator()(archive_entry* e) const { archive_entry_free(e); }
};

void must(int result) {
  if (result < ARCHIVE_WARN) refuse(base::Errc::Internal, "the seed ISO could not be written");
}

la_ssize_t append(archive*, void* out, const void* bytes, std::size_t size) {
  static_cast<std::string*>(out)->append(static_cast<const char*>(bytes), size);
  return static_cast<la_ssize_t>(size);
}

void write_file(archive* iso, const std::string& name, const std::string& bytes) {
  const std::unique_ptr<archive_entry, FreeEntry> entry(archive_entry_new());
  archive_entry_set_pathname(entry.get(), name.c_str());
  archive_entry_set_filetype(entry.get(), AE_IFREG);
  archive_entry_set_perm(entry.get(), 0444);
  archive_entry_set_size(entry.get(), static_cast<la_int64_t>(bytes.size()));
  must(archive_write_header(iso, entry.get()));
  must(static_cast<int>(archive_write_data(iso, bytes.data(), bytes.size())));
}

}  // namespace

std::string iso_image(const std::string& label,
                      const std::vector<std::pair<std::string, std::string>>& files) {
  std::string out;
  const std::unique_ptr<archive, FreeArchive> iso(archive_write_new());
  must(archive_write_set_format_iso9660(iso.get()));
  must(archive_write_add_filter_none(iso.get()));
  must(archive_write_set_option(iso.get(), "iso9660", "volume-id", label.c_str()));
  must(archive_write_open(iso.get(), &out, nullptr, append, nullptr));
  for (const auto& [name, bytes] : files) write_file(iso.get(), name, bytes);
  must(archive_write_close(iso.get()));
  return out;
}

// JSON's escapes are YAML's, within double quotes.
std::string yaml_text(std::string_view text) {
  base::JsonWriter json;
  json.value(text);
  return json.text();
}

namespace {

std::string meta_data(const Request& r) {
  return fmt::format("instance-id: {}\nlocal-hostname: {}\n", yaml_text(r.uuid()),
                     yaml_text(r.order().spec.name));
}

// A caller's own user data stand as they are; else the administrator's password is set.
std::string user_data(const Request& r) {
  const domain::VmSpec& spec = r.order().spec;
  const Secrets& secrets = r.call().work->secrets;
  if (const base::Secret* own = secrets.find(spec.user_data)) return std::string(own->reveal());
  std::string text = "#cloud-config\n";
  const base::Secret* password = secrets.find(spec.admin_secret);
  if (password == nullptr || password->empty()) return text;
  const std::string name =
      spec.guest && !spec.guest->admin_name.empty() ? spec.guest->admin_name : "root";
  text += fmt::format(
      "ssh_pwauth: true\nchpasswd:\n  expire: false\n  users:\n"
      "    - {{name: {}, type: text, password: {}}}\n",
      yaml_text(name), yaml_text(password->reveal()));
  if (name == "root") text += "disable_root: false\n";
  return text;
}

std::string network_config(const Request& r) {
  const domain::VmSpec& spec = r.order().spec;
  const NetworkOptions& network = r.options().network;
  std::string text = fmt::format(
      "version: 2\nethernets:\n  nic0:\n    match: {{macaddress: {}}}\n    addresses: [{}/{}]\n",
      yaml_text(domain::mac_of(spec)), domain::ipv4_text(spec.ipv4), network.prefix);
  if (!network.gateway.empty()) {
    text += fmt::format("    routes: [{{to: 0.0.0.0/0, via: {}}}]\n", network.gateway);
  }
  if (!network.dns.empty()) {
    text += fmt::format("    nameservers: {{addresses: [{}]}}\n", fmt::join(network.dns, ", "));
  }
  return text;
}

}  // namespace

std::string make_seed(const Request& r) {
  std::vector<std::pair<std::string, std::string>> files = {{"meta-data", meta_data(r)},
                                                            {"user-data", user_data(r)}};
  if (r.order().spec.ipv4 != 0) files.emplace_back("network-config", network_config(r));
  std::string iso = iso_image("cidata", files);
  base::wipe(files[1].second);
  return iso;
}

}  // namespace slipway::workers::libvirt
