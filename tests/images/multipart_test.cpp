#include "api/images/multipart.hpp"

#include <gtest/gtest.h>

#include "api/images/transfer.hpp"

namespace slipway::api {
namespace {

const std::string kBody =
    "preamble\r\n--xyz\r\nContent-Disposition: form-data; name=\"note\"\r\n\r\nhello\r\n"
    "--xyz\r\nContent-Disposition: form-data; name=\"image\"; filename=\"a.iso\"\r\n"
    "Content-Type: application/octet-stream\r\n\r\nbytes\r\n--xy and \r\n more\r\n--xyz--\r\n";

struct Read {
  std::string file;
  bool complete = false;
  bool fine = true;
};

Read read(const std::string& body, std::size_t piece, const std::string& boundary = "xyz") {
  Read out;
  MultipartReader reader(boundary, "image");
  for (std::size_t at = 0; at < body.size(); at += piece) {
    out.fine &= reader.feed(std::string_view(body).substr(at, piece),
                            [&](std::string_view bytes) { out.file += bytes; });
  }
  out.complete = reader.complete();
  return out;
}

TEST(Multipart, GivesTheFileWhateverThePiecesBorders) {
  for (std::size_t piece = 1; piece <= kBody.size(); ++piece) {
    const Read got = read(kBody, piece);
    ASSERT_EQ(got.file, "bytes\r\n--xy and \r\n more") << "in pieces of " << piece;
    ASSERT_TRUE(got.complete);
  }
}

TEST(Multipart, AnEmptyFileIsAFile) {
  const Read got =
      read("--xyz\r\nContent-Disposition: form-data; name=\"image\"\r\n\r\n\r\n--xyz--\r\n", 3);
  EXPECT_EQ(got.file, "");
  EXPECT_TRUE(got.complete);
}

TEST(Multipart, ABodyThatIsCutShortIsNotComplete) {
  const Read got = read(kBody.substr(0, kBody.size() - 8), 7);
  EXPECT_FALSE(got.complete);
}

TEST(Multipart, ABodyWithoutTheFileIsNotComplete) {
  const Read got =
      read("--xyz\r\nContent-Disposition: form-data; name=\"other\"\r\n\r\nx\r\n--xyz--\r\n", 64);
  EXPECT_FALSE(got.complete);
  EXPECT_EQ(got.file, "");
}

TEST(Multipart, AHeadWithoutEndIsBroken) {
  const Read got = read("--xyz\r\nA: " + std::string(10000, 'a'), 100);
  EXPECT_FALSE(got.fine);
}

TEST(Multipart, TheBoundaryIsThatOfTheContentType) {
  EXPECT_EQ(multipart_boundary("multipart/form-data; boundary=xyz"), "xyz");
  EXPECT_EQ(multipart_boundary("Multipart/Form-Data; charset=x; Boundary=\"a b\""), "a b");
  EXPECT_EQ(multipart_boundary("application/octet-stream; boundary=xyz"), std::nullopt);
  EXPECT_EQ(multipart_boundary("multipart/form-data"), std::nullopt);
  EXPECT_EQ(multipart_boundary("multipart/form-data; boundary=" + std::string(71, 'b')),
            std::nullopt);
}

TEST(Range, OneIsServedAndTheRestIsTheWhole) {
  using Pair = std::pair<std::uint64_t, std::uint64_t>;
  EXPECT_EQ(single_range("bytes=0-99", 1000), Pair(0, 100));
  EXPECT_EQ(single_range("bytes=990-2000", 1000), Pair(990, 1000));
  EXPECT_EQ(single_range("bytes=100-", 1000), Pair(100, 1000));
  EXPECT_EQ(single_range("bytes=-50", 1000), Pair(950, 1000));
  EXPECT_EQ(single_range("bytes=-5000", 1000), Pair(0, 1000));
  EXPECT_EQ(single_range("bytes=1000-", 1000), Pair(0, 0));
  EXPECT_EQ(single_range("bytes=-0", 1000), Pair(0, 0));
  for (const char* whole : {"", "bytes=", "bytes=-", "bytes=5-2", "bytes=0-1,5-6", "lines=1-2",
                            "bytes=a-b", "bytes=1-x"}) {
    EXPECT_EQ(single_range(whole, 1000), std::nullopt) << whole;
  }
}

}  // namespace
}  // namespace slipway::api
