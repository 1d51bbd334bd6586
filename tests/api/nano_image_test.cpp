// Images of dialect nano and their bytes, over a real socket.
#include <fmt/format.h>
#include <gmock/gmock.h>

#include <filesystem>
#include <fstream>

#include "tests/api/nano_client.hpp"
#include "tests/edge/edge_fixture.hpp"

namespace slipway::api::test {
namespace {

using testing::MatchesRegex;

constexpr std::string_view kImage = R"({
      "name": "centos7_64_minimal",
      "owner": "admin",
      "group": "manager",
      "description": "some desc",
      "tags": ["linux", "64bit", "centos"]
    })";

class NanoImages : public testing::Test {
 protected:
  std::string make(const std::string& path, std::string_view body = kImage) {
    const NanoAnswer made = client.post(path, body);
    EXPECT_EQ(made.status, 200) << made.text;
    return made.data.value("id", "");
  }
  Answer raw(std::string_view method, std::string_view path, std::string_view headers,
             std::string_view body = "") {
    return server.ask(
        fmt::format("{} /d/nano{} HTTP/1.1\r\nHost: test\r\nNano-Session: {}\r\n{}"
                    "Content-Length: {}\r\n\r\n{}",
                    method, path, client.session(), headers, body.size(), body));
  }
  Answer upload(const std::string& path, std::string_view bytes) {
    const std::string body = fmt::format(
        "--xyz\r\nContent-Disposition: form-data; name=\"image\"; filename=\"a\"\r\n\r\n{}"
        "\r\n--xyz--\r\n",
        bytes);
    return raw("POST", path, "Content-Type: multipart/form-data; boundary=xyz\r\n", body);
  }
  std::filesystem::path folder() const { return server.images_folder(); }
  std::size_t files() const {
    const std::filesystem::directory_iterator all(folder());
    return static_cast<std::size_t>(std::distance(begin(all), end(all)));
  }
  TestServer server;
  NanoClient client{server};
};

TEST_F(NanoImages, AMediaImageIsListedAsTheSampleShowsIt) {
  const std::string id = make("/media_images/");
  const Json list = client.get("/media_images/").data;
  ASSERT_EQ(list.size(), 1U);
  EXPECT_EQ(list[0]["name"], "centos7_64_minimal");
  EXPECT_EQ(list[0]["id"], id);
  EXPECT_EQ(list[0]["description"], "some desc");
  EXPECT_EQ(list[0]["size"], 0);
  EXPECT_EQ(list[0]["tags"], Json::parse(R"(["linux","64bit","centos"])"));
  for (const char* name : {"create_time", "modify_time"}) {
    EXPECT_THAT(list[0].value(name, ""), MatchesRegex("[0-9-]{10} [0-9:]{8}"));
  }
  EXPECT_EQ(list[0]["created"], false);
  EXPECT_EQ(client.get("/media_image_search/?owner=admin&group=manager").data.size(), 1U);
  EXPECT_EQ(client.get("/media_image_search/?owner=nobody").data.size(), 0U);
  EXPECT_EQ(client.get("/media_images/" + id).data["name"], "centos7_64_minimal");
}

TEST_F(NanoImages, AnUploadedFileComesBackByteForByte) {
  const std::string id = make("/media_images/");
  std::string bytes;
  for (int i = 0; bytes.size() < (3U << 20U); ++i) bytes += fmt::format("{}\r\n--xy", i);
  const Answer up = upload("/media_image_files/" + id, bytes);
  EXPECT_EQ(up.status, 200) << up.body;
  EXPECT_EQ(json_of(up)["error_code"], 0) << up.body;
  EXPECT_EQ(client.get("/media_images/" + id).data["size"], bytes.size());
  EXPECT_EQ(client.get("/media_images/" + id).data["created"], true);
  const Answer down = raw("GET", "/media_image_files/" + id, "");
  EXPECT_EQ(down.status, 200);
  EXPECT_TRUE(down.body == bytes);
  const Answer later = raw("GET", "/media_images/" + id + "/file/", "Range: bytes=5-9\r\n");
  EXPECT_EQ(later.status, 206);
  EXPECT_EQ(later.body, bytes.substr(5, 5));
  EXPECT_EQ(later.header("Content-Range"), fmt::format("bytes 5-9/{}", bytes.size()));
  EXPECT_EQ(raw("GET", "/media_images/" + id + "/file/", "Range: bytes=99999999-\r\n").status, 416);
}

TEST_F(NanoImages, ARawBodyIsTheFileAndASecondUploadReplacesIt) {
  const std::string id = make("/disk_images/");
  const std::string path = "/disk_images/" + id + "/file/";
  EXPECT_EQ(json_of(raw("POST", path, "", "first"))["error_code"], 0);
  EXPECT_EQ(json_of(raw("POST", path, "", "second one"))["error_code"], 0);
  EXPECT_EQ(raw("GET", path, "").body, "second one");
  EXPECT_TRUE(eventually([&] { return files() == 1; }));
}

TEST_F(NanoImages, AnUploadThatIsWrongLeavesNothing) {
  const std::string id = make("/media_images/");
  const Answer cut = raw("POST", "/media_image_files/" + id,
                         "Content-Type: multipart/form-data; boundary=xyz\r\n", "--xyz\r\nhalf");
  EXPECT_EQ(json_of(cut)["error_code"], 500);
  const std::string unknown = "0197f3a0-0000-7000-8000-000000000000";
  EXPECT_EQ(json_of(upload("/media_image_files/" + unknown, "bytes"))["error_code"], 500);
  EXPECT_EQ(json_of(upload("/disk_images/" + id + "/file/", "bytes"))["error_code"], 500);
  const Answer stranger = server.ask("POST /d/nano/media_image_files/" + id +
                                     " HTTP/1.1\r\nHost: test\r\nContent-Length: 5\r\n\r\nbytes");
  EXPECT_EQ(json_of(stranger)["message"], "unauthenticated request");
  EXPECT_TRUE(eventually([&] { return files() == 0; }));
  EXPECT_EQ(client.get("/media_images/" + id).data["created"], false);
}

TEST_F(NanoImages, ADeletedImagesFileGoes) {
  const std::string id = make("/media_images/");
  upload("/media_image_files/" + id, "bytes");
  EXPECT_EQ(files(), 1U);
  const NanoAnswer gone = client.remove("/media_images/" + id);
  EXPECT_TRUE(gone.ok()) << gone.text;
  EXPECT_TRUE(eventually([&] { return files() == 0; }));
  EXPECT_EQ(client.get("/media_images/").data, Json::array());
}

TEST_F(NanoImages, AnUpdateChangesWhatItNames) {
  const std::string id = make("/disk_images/");
  const NanoAnswer done =
      client.put("/disk_images/" + id, R"({"description": "new", "tags": ["debian"]})");
  EXPECT_TRUE(done.ok()) << done.text;
  const Json image = client.get("/disk_images/" + id).data;
  EXPECT_EQ(image["name"], "centos7_64_minimal");
  EXPECT_EQ(image["description"], "new");
  EXPECT_EQ(image["tags"], Json::parse(R"(["debian"])"));
  EXPECT_EQ(client.put("/media_images/" + id, "{}").code, 500);  // of the other kind
}

TEST_F(NanoImages, DiskImagesAreFoundByGroupAndTags) {
  const std::string id = make("/disk_images/");
  const auto found = [&](const std::string& query) {
    std::size_t own = 0;
    for (const Json& image : client.get("/disk_image_search" + query).data) {
      own += image["id"] == id ? 1 : 0;
    }
    return own;
  };
  EXPECT_EQ(found("?group=manager"), 1U);
  EXPECT_EQ(found("/?group=manager&tags=linux&tags=64bit"), 1U);
  EXPECT_EQ(found("?group=manager&tags=linux&tags=windows"), 0U);
  EXPECT_EQ(found("?group=others"), 0U);
}

TEST_F(NanoImages, ADiskImageIsSavedFromAGuest) {
  const NanoAnswer guest = client.post(
      "/guests/", R"({"name":"g","owner":"admin","group":"manager","pool":"default","cores":1,
                      "memory":512,"disks":[1024],"auto_start":false})");
  const std::string vm = guest.data.value("id", "");
  ASSERT_TRUE(eventually([&] { return client.get("/guests/" + vm).status == 200; }));
  server.worker().hold();
  Json body = Json::parse(kImage);
  body["guest"] = vm;
  const NanoAnswer made = client.post("/disk_images/", body.dump());
  EXPECT_EQ(made.status, 202) << made.text;
  const std::string path = "/disk_images/" + made.data.value("id", "");
  ASSERT_TRUE(server.worker().report_progress(46, "saving"));
  ASSERT_TRUE(eventually([&] { return client.get(path).data.value("progress", 0) == 46; }));
  EXPECT_EQ(client.get(path).data["created"], false);
  EXPECT_EQ(client.get(path).status, 200);
  server.worker().release();
  ASSERT_TRUE(eventually([&] { return client.get(path).data.value("created", false); }));
  EXPECT_EQ(client.get(path).data["tags"], Json::parse(R"(["linux","64bit","centos"])"));
}

TEST_F(NanoImages, MediaIsInsertedAndEjected) {
  const NanoAnswer guest = client.post(
      "/guests/", R"({"name":"g","owner":"admin","group":"manager","pool":"default","cores":1,
                      "memory":512,"disks":[1024],"auto_start":false})");
  const std::string vm = "/instances/" + guest.data.value("id", "");
  ASSERT_TRUE(eventually([&] { return client.get(vm).status == 200; }));
  const std::string id = make("/media_images/");
  const std::string insert = Json{{"source", id}, {"type", 0}}.dump();
  EXPECT_EQ(client.post(vm + "/media", insert).code, 500);  // no bytes yet
  upload("/media_image_files/" + id, "iso");
  EXPECT_TRUE(client.post(vm + "/media", insert).ok());
  EXPECT_EQ(client.get(vm).data["media_attached"], true);
  EXPECT_EQ(client.get(vm).data["media_source"], id);
  EXPECT_TRUE(client.remove(vm + "/media").ok());
  EXPECT_EQ(client.get(vm).data["media_attached"], false);
  EXPECT_TRUE(client.remove(vm, R"({"reboot":false,"force":true})").ok());
  EXPECT_TRUE(client.post(vm, Json{{"from_media", true}, {"source", id}}.dump()).ok());
  EXPECT_EQ(client.get(vm).data["media_attached"], true);
}

TEST_F(NanoImages, FilesThatAnOperatorPutThereAreTakenIn) {
  std::ofstream(folder() / "debian-13.iso") << "iso bytes";
  std::ofstream(folder() / "disk.qcow2") << "disk bytes";
  const NanoAnswer done =
      client.send("PATCH", "/media_images/", R"({"owner":"admin","group":"manager"})");
  EXPECT_TRUE(done.ok()) << done.text;
  const Json list = client.get("/media_images/").data;
  ASSERT_EQ(list.size(), 1U);
  EXPECT_EQ(list[0]["name"], "debian-13");
  EXPECT_EQ(list[0]["size"], 9);
  const std::string id = list[0]["id"];
  EXPECT_EQ(raw("GET", "/media_image_files/" + id, "").body, "iso bytes");
  EXPECT_TRUE(eventually([&] { return !std::filesystem::exists(folder() / "debian-13.iso"); }));
  EXPECT_TRUE(std::filesystem::exists(folder() / "disk.qcow2"));
}

TEST_F(NanoImages, AnotherTenantsAreNotSeen) {
  const std::string id = make("/media_images/");
  const std::string token = server.make_token("other", "operator");
  EXPECT_EQ(server.get("/core/v1/images/" + id, bearer(token)).status, 404);
}

}  // namespace
}  // namespace slipway::api::test
