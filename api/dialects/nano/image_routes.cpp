// Media images (to boot and install from) and disk images (a guest's first disk).
#include <fmt/format.h>

#include <algorithm>

#include "api/dialects/nano/guest_commands.hpp"
#include "api/dialects/nano/image_parts.hpp"
#include "api/dialects/nano/routes.hpp"
#include "api/whole_list.hpp"

namespace slipway::api::nano {
namespace {

using base::Errc;
using domain::CommandKind;
using domain::ImageKind;
using domain::ImageState;
using eventstore::ImageRow;

constexpr std::size_t kDescriptionBytes = 4096;
constexpr std::size_t kTags = 64;

// ---- looking

void write_image(base::JsonWriter& w, const Context& context, const ImageRow& row) {
  const domain::Image& image = row.image;
  const domain::ImageTraits traits = image.traits ? *image.traits : domain::ImageTraits{};
  const bool created = row.state == ImageState::Saved;
  w.begin_object().member("name", image.name).member("id", image.id).member("created", created);
  if (!created) {
    const auto live = context.services.progress.get(row.task);
    w.member("progress", live ? std::min(live->percent, 99U) : 0U);
  }
  const auto described = image.properties.find("description");
  const bool old = traits.description.empty() && described != image.properties.end();
  w.member("description", old ? described->second : traits.description);
  w.member("create_time", local_time(row.created_at));
  w.member("modify_time", local_time(row.updated_at)).member("size", image.size_bytes);
  w.key("tags").begin_array();
  for (const std::string& tag : traits.tags) w.value(tag);
  w.end_array().member("owner", traits.owner);
  w.member("group", traits.group.empty() ? image.tenant : traits.group);
  if (!row.error.empty()) w.member("error", row.error);
  w.end_object();
}

struct ImageWish {
  ImageKind kind = ImageKind::Disk;
  std::string owner;
  std::string group;
  std::vector<std::string> tags;  // all of them

  bool fits(const ImageRow& row) const {
    if (row.state == ImageState::Deleted || row.image.is_media() != (kind == ImageKind::Media)) {
      return false;
    }
    const domain::ImageTraits traits = row.image.traits ? *row.image.traits : domain::ImageTraits{};
    const std::string& own_group = traits.group.empty() ? row.image.tenant : traits.group;
    if (!owner.empty() && traits.owner != owner) return false;
    // Public ones without a group are everybody's.
    const bool everybodys = row.image.is_public && traits.group.empty();
    if (!group.empty() && own_group != group && !everybodys) return false;
    return std::all_of(tags.begin(), tags.end(), [&](const std::string& tag) {
      return std::find(traits.tags.begin(), traits.tags.end(), tag) != traits.tags.end();
    });
  }
};

void answer_list(const Context& context, const Call& call, eventstore::Reader& reader,
                 const Client& client, const ImageWish& wish) {
  base::JsonWriter w;
  w.begin_array();
  const auto status = each_row(
      [&](const auto& page) { return reader.list_images(identity_of(call).own_scope(), page); },
      [&](const ImageRow& row) {
        if (wish.fits(row)) write_image(w, context, row);
      });
  if (!status) return client.fail(status.error());
  client.send(success(w.end_array().view()));
}

Handler list(ImageKind kind) {
  return [kind](Context& context, Call call) {
    ImageWish wish;
    wish.kind = kind;
    for (const QueryParam& param : call.request.query()) {
      if (param.name == "owner") wish.owner = param.value;
      if (param.name == "group") wish.group = param.value;
      if (param.name == "tags" && wish.tags.size() < kTags) wish.tags.emplace_back(param.value);
    }
    ask(context, std::move(call),
        [&context, wish](const Call& asked, auto& reader, const Client& client) {
          answer_list(context, asked, reader, client, wish);
        });
  };
}

Handler show(ImageKind kind) {
  return [kind](Context& context, Call call) {
    ask(context, std::move(call),
        [&context, kind](const Call& asked, auto& reader, const Client& client) {
          const auto row = find_image(asked, reader, client, kind);
          if (!row) return;
          base::JsonWriter w;
          write_image(w, context, *row);
          client.send(success(w.view()));
        });
  };
}

// ---- making

domain::ImageTraits read_traits(FieldReader& body, ImageKind kind) {
  domain::ImageTraits traits;
  traits.kind = kind;
  traits.owner = body.text("owner", {.required = true});
  traits.group = body.text("group", {.required = true});
  traits.description =
      body.text("description", {.max_bytes = kDescriptionBytes, .one_line = false});
  traits.tags = texts(body, "tags", kTags);
  return traits;
}

void register_image(Context& context, const Call& call, domain::Image image) {
  auto request = begin(context, call);
  if (!request) return client_of(call).fail(request.error());
  const base::Uuid id = image.id;
  image.tenant = request->command.caller.tenant;
  request->command.body = domain::RegisterImage{std::move(image)};
  command_with_id(context, std::move(*request), id, 200);
}

// A disk image is saved from a guest, or an upload will follow.
void capture(Context& context, const Call& call, const std::string& guest, domain::Image image) {
  const Client client = client_of(call);
  const auto vm = base::parse_uuid(guest);
  if (!vm) return client.fail(Errc::NotFound, fmt::format("invalid guest '{}'", guest));
  auto request = begin(context, call);
  if (!request) return client.fail(request.error());
  domain::ActOnVm act;
  act.kind = CommandKind::ImageCapture;
  act.vm = domain::VmId(*vm);
  act.new_image = image.id;
  act.args.name = image.name;
  act.args.description = image.traits->description;
  act.args.traits = std::move(image.traits);
  const base::Uuid id = act.new_image;
  request->command.body = std::move(act);
  command_with_id(context, std::move(*request), id, 202);
}

Handler make(ImageKind kind) {
  return [kind](Context& context, const Call& call) {
    FieldErrors errors;
    FieldReader body = read_body(call.request, errors);
    domain::Image image;
    image.id = domain::ImageId(new_id());
    image.name = body.text("name", {.required = true});
    image.traits = read_traits(body, kind);
    image.disk_format = kind == ImageKind::Media ? "iso" : "qcow2";
    const std::string guest = kind == ImageKind::Disk ? body.text("guest") : "";
    if (!errors.empty()) return client_of(call).fail(errors.error());
    if (guest.empty()) return register_image(context, call, std::move(image));
    capture(context, call, guest, std::move(image));
  };
}

// ---- changing

Handler update(ImageKind kind) {
  return [kind](Context& context, const Call& call) {
    const Client client = client_of(call);
    const auto id = image_id(call);
    if (!id) return client.fail(id.error());
    FieldErrors errors;
    FieldReader body = read_body(call.request, errors);
    domain::UpdateImage change;
    change.image = *id;
    change.kind = kind;
    change.name = maybe_text(body, "name");
    change.owner = maybe_text(body, "owner");
    change.group = maybe_text(body, "group");
    if (body.member("description")) {
      change.description =
          body.text("description", {.max_bytes = kDescriptionBytes, .one_line = false});
    }
    change.tags = maybe_texts(body, "tags");
    if (change.name && change.name->empty()) body.require("name");
    if (!errors.empty()) return client.fail(errors.error());
    command(context, call, std::move(change));
  };
}

// What its file was called is known from the row; it goes once the image has.
class GoneForm final : public DoneForm {
 public:
  GoneForm(domain::TaskId task, ImageFiles* files, const domain::Image& image)
      : DoneForm(task), files_(files), id_(image.id), sha512_(image.checksum_sha512) {}

 protected:
  Response succeeded() const override {
    if (files_ != nullptr && !sha512_.empty()) {
      files_->post([files = files_, id = id_, sha512 = sha512_] { files->drop(id, sha512); });
    }
    return done();
  }

 private:
  ImageFiles* files_;
  domain::ImageId id_;
  std::string sha512_;
};

Handler remove(ImageKind kind) {
  return [kind](Context& context, Call call) {
    ask(context, std::move(call),
        [&context, kind](const Call& asked, auto& reader, const Client& client) {
          const auto row = find_image(asked, reader, client, kind);
          if (!row) return;
          auto request = begin(context, asked);
          if (!request) return client.fail(request.error());
          request->command.body = domain::DeleteImage{row->image.id};
          request->form =
              std::make_unique<GoneForm>(request->command.task, context.images, row->image);
          command_and_wait(context, std::move(*request));
        });
  };
}

}  // namespace

std::optional<ImageRow> find_image(const Call& call, eventstore::Reader& reader,
                                   const Client& client, ImageKind kind) {
  const auto id = image_id(call);
  if (!id) {
    client.fail(id.error());
    return std::nullopt;
  }
  auto found = reader.get_image(identity_of(call).own_scope(), *id);
  if (!found) {
    client.fail(found.error());
    return std::nullopt;
  }
  if (!found->value || found->value->image.is_media() != (kind == ImageKind::Media)) {
    client.fail(Errc::NotFound, fmt::format("invalid image '{}'", call.params["id"]));
    return std::nullopt;
  }
  return std::move(*found->value);
}

void image_routes(Area& area) {
  area.get("/media_images/", list(ImageKind::Media));
  area.get("/media_image_search/", list(ImageKind::Media));
  area.get("/disk_image_search/", list(ImageKind::Disk));
  for (const auto& [path, kind] : {std::pair("/media_images/", ImageKind::Media),
                                   std::pair("/disk_images/", ImageKind::Disk)}) {
    const std::string one = std::string(path) + "{id}";
    area.on(Method::Post, path, Right::Operate, make(kind));
    area.get(one, show(kind));
    area.on(Method::Put, one, Right::Operate, update(kind));
    area.on(Method::Delete, one, Right::Operate, remove(kind));
  }
}

}  // namespace slipway::api::nano
