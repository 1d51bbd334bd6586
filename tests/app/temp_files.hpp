#pragma once
// A directory of its own for one test, gone with it.
#include <gtest/gtest.h>
#include <stdlib.h>
#include <sys/stat.h>

#include <filesystem>
#include <fstream>
#include <string>
#include <string_view>

namespace slipway::app {

class TempFiles {
 public:
  TempFiles() : dir_(::testing::TempDir() + "slipway-XXXXXX") {
    EXPECT_NE(::mkdtemp(dir_.data()), nullptr);
  }
  ~TempFiles() { std::filesystem::remove_all(dir_); }
  TempFiles(const TempFiles&) = delete;
  TempFiles& operator=(const TempFiles&) = delete;

  const std::string& dir() const { return dir_; }
  std::string write(const std::string& name, std::string_view text, mode_t mode = 0600) const {
    const auto path = dir_ + '/' + name;
    std::ofstream(path) << text;
    ::chmod(path.c_str(), mode);
    return path;
  }

 private:
  std::string dir_;
};

}  // namespace slipway::app
