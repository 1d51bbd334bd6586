#include "disk.hpp"

#include <gtest/gtest.h>

#include <cerrno>
#include <functional>
#include <string>

namespace slipway::forgetful {
namespace {

constexpr mode_t kFile = S_IFREG | 0600;
constexpr int kSeeds = 300;

Inode make(Disk& disk, const std::string& name, Inode dir = kRoot, mode_t mode = kFile) {
  const auto made = disk.create(dir, name, mode);
  EXPECT_GT(made, 0);
  return static_cast<Inode>(made);
}

// What is found under that name in the root; "-" for nothing.
std::string found(const Disk& disk, const std::string& name) {
  const auto inode = disk.find(kRoot, name);
  if (inode < 0) return "-";
  return std::string(disk.read(static_cast<Inode>(inode), 0, std::string::npos));
}

struct Story {
  std::function<void(Disk&)> synced = [](Disk&) {};
  std::function<void(Disk&)> then;
  Names names = Names::Posix;
};

// All that `name` may be after a cut, and how often of kSeeds.
std::map<std::string, int> outcomes(const Story& story, const std::string& name) {
  std::map<std::string, int> counts;
  for (std::uint64_t seed = 1; seed <= kSeeds; ++seed) {
    Disk disk({.seed = seed, .names = story.names});
    story.synced(disk);
    disk.sync_all();
    story.then(disk);
    disk.cut();
    ++counts[found(disk, name)];
  }
  return counts;
}

Inode named(const Disk& disk, const std::string& name) {
  return static_cast<Inode>(disk.find(kRoot, name));
}

bool has(const std::map<std::string, int>& counts, const std::string& outcome) {
  return counts.contains(outcome);
}

bool is_always(const std::map<std::string, int>& counts, const std::string& outcome) {
  return counts.size() == 1 && has(counts, outcome);
}

TEST(Writes, ThatWereSyncedOutliveTheCut) {
  const auto counts = outcomes({.synced = [](Disk& d) { make(d, "f"); },
                                .then =
                                    [](Disk& d) {
                                      d.write(named(d, "f"), 0, "kept");
                                      d.sync(named(d, "f"));
                                    }},
                               "f");
  EXPECT_TRUE(is_always(counts, "kept"));
}

TEST(Writes, ThatWereNotSyncedMayBeLostOrNot) {
  const auto counts = outcomes({.synced = [](Disk& d) { d.write(make(d, "f"), 0, "old"); },
                                .then = [](Disk& d) { d.write(named(d, "f"), 0, "new"); }},
                               "f");
  EXPECT_EQ(counts.size(), 2U);
  EXPECT_TRUE(has(counts, "old"));
  EXPECT_TRUE(has(counts, "new"));
}

TEST(Writes, LoseSectorsInAnyOrder) {
  const std::string old(3 * Disk::kSector, 'o'), whole(3 * Disk::kSector, 'n');
  const auto counts = outcomes({.synced = [&](Disk& d) { d.write(make(d, "f"), 0, old); },
                                .then = [&](Disk& d) { d.write(named(d, "f"), 0, whole); }},
                               "f");
  EXPECT_EQ(counts.size(), 8U) << "each of three sectors is old or new";
}

TEST(Appends, AreTornAtAnyByte) {
  const auto counts = outcomes({.synced = [](Disk& d) { d.write(make(d, "f"), 0, "0123"); },
                                .then = [](Disk& d) { d.write(named(d, "f"), 4, "456789"); }},
                               "f");
  EXPECT_TRUE(has(counts, "0123"));
  EXPECT_TRUE(has(counts, "0123456789"));
  EXPECT_TRUE(has(counts, "012345"));
  for (const auto& [text, times] : counts) EXPECT_EQ(text.substr(0, 4), "0123");
}

TEST(Appends, ThatLostASectorInTheirMiddleHaveZerosThere) {
  const std::string text(4 * Disk::kSector, 'x');
  std::string hole = text;
  hole.replace(Disk::kSector, Disk::kSector, Disk::kSector, '\0');
  const auto counts = outcomes({.synced = [](Disk& d) { make(d, "f"); },
                                .then = [&](Disk& d) { d.write(named(d, "f"), 0, text); }},
                               "f");
  EXPECT_TRUE(has(counts, hole));
}

TEST(Truncation, IsLostOrKeptAndNewBytesNeverMixWithThoseThatWereCutOff) {
  const auto counts = outcomes({.synced = [](Disk& d) { d.write(make(d, "f"), 0, "long ago"); },
                                .then =
                                    [](Disk& d) {
                                      d.truncate(named(d, "f"), 0);
                                      d.write(named(d, "f"), 0, "new");
                                    }},
                               "f");
  EXPECT_TRUE(has(counts, "long ago"));
  EXPECT_TRUE(has(counts, ""));
  EXPECT_TRUE(has(counts, "new"));
  for (const auto& [text, times] : counts) {
    const bool zeros = text.find_first_not_of('\0') == std::string::npos;
    EXPECT_TRUE(text == "long ago" || zeros || std::string("new").starts_with(text)) << text;
  }
}

TEST(Names, AreNotKeptByASyncOfTheFile) {
  const auto create = [](Disk& d) {
    d.write(make(d, "f"), 0, "x");
    d.sync(named(d, "f"));
  };
  const auto posix = outcomes({.then = create}, "f");
  EXPECT_TRUE(has(posix, "-"));
  EXPECT_TRUE(has(posix, "x"));
  EXPECT_TRUE(is_always(outcomes({.then = create, .names = Names::Journal}, "f"), "x"));
}

TEST(Names, AreKeptByASyncOfTheirDirectory) {
  const auto counts = outcomes({.then =
                                    [](Disk& d) {
                                      d.write(make(d, "f"), 0, "x");
                                      d.sync(named(d, "f"));
                                      d.sync(kRoot);
                                    }},
                               "f");
  EXPECT_TRUE(is_always(counts, "x"));
}

const Story kRenameOver = {.synced =
                               [](Disk& d) {
                                 d.write(make(d, "f"), 0, "old");
                                 d.write(make(d, "f.tmp"), 0, "new");
                               },
                           .then = [](Disk& d) { d.rename(kRoot, "f.tmp", kRoot, "f", true); }};

TEST(Renames, ThatWereNotSyncedAreLostOrKeptAsAWhole) {
  const auto counts = outcomes(kRenameOver, "f");
  EXPECT_EQ(counts.size(), 2U);
  EXPECT_TRUE(has(counts, "old"));
  EXPECT_TRUE(has(counts, "new"));
}

TEST(Renames, ThatWereSyncedOutliveTheCut) {
  Story story = kRenameOver;
  story.then = [](Disk& d) {
    kRenameOver.then(d);
    d.sync(kRoot);
  };
  EXPECT_TRUE(is_always(outcomes(story, "f"), "new"));
  EXPECT_TRUE(is_always(outcomes(story, "f.tmp"), "-"));
}

TEST(Renames, AcrossDirectoriesAreKeptByASyncOfEitherAndNeverHalf) {
  const auto move = [](Disk& d) {
    const Inode dir = named(d, "dir");
    d.write(make(d, "f"), 0, "x");
    d.sync(named(d, "f"));
    d.rename(kRoot, "f", dir, "f", true);
    d.sync(dir);
  };
  const Story story = {.synced = [](Disk& d) { make(d, "dir", kRoot, S_IFDIR | 0700); },
                       .then = move};
  EXPECT_TRUE(is_always(outcomes(story, "f"), "-"));
}

TEST(Deletes, ThatWereNotSyncedMayComeBack) {
  const Story story = {.synced = [](Disk& d) { d.write(make(d, "f"), 0, "x"); },
                       .then = [](Disk& d) { EXPECT_EQ(d.remove(kRoot, "f", false), 0); }};
  const auto counts = outcomes(story, "f");
  EXPECT_TRUE(has(counts, "-"));
  EXPECT_TRUE(has(counts, "x"));
}

TEST(Journal, KeepsNoNameWithoutThoseBeforeIt) {
  for (std::uint64_t seed = 1; seed <= kSeeds; ++seed) {
    Disk disk({.seed = seed, .names = Names::Journal});
    make(disk, "first");
    make(disk, "second");
    disk.cut();
    EXPECT_FALSE(found(disk, "first") == "-" && found(disk, "second") != "-");
  }
}

TEST(Cut, IsTheSameForTheSameSeed) {
  const auto once = [] {
    Disk disk({.seed = 42});
    disk.write(make(disk, "f"), 0, std::string(100 * Disk::kSector, 'x'));
    disk.sync(kRoot);
    disk.cut();
    return found(disk, "f");
  };
  EXPECT_EQ(once(), once());
}

TEST(Image, BringsBackDirectoriesFilesAndLinks) {
  const std::filesystem::path image = testing::TempDir() + "forgetful_disk_test";
  std::filesystem::remove_all(image);
  Disk before({});
  const Inode file = make(before, "f", make(before, "dir", kRoot, S_IFDIR | 0700));
  before.write(file, 0, "x");
  EXPECT_EQ(before.link(file, kRoot, "same"), 0);
  before.sync_all();
  before.save(image);

  Disk after({});
  after.load(image);
  EXPECT_EQ(found(after, "same"), "x");
  EXPECT_EQ(after.entries(named(after, "dir")).size(), 1U);
  EXPECT_EQ(after.about(named(after, "same")).st_mode, kFile);
  std::filesystem::remove_all(image);
}

TEST(OpenFiles, OutliveTheirNames) {
  Disk disk({});
  const Inode file = make(disk, "f");
  disk.write(file, 0, "x");
  EXPECT_EQ(disk.remove(kRoot, "f", false), 0);
  EXPECT_EQ(disk.read(file, 0, 10), "x");
  EXPECT_EQ(disk.about(file).st_nlink, 0U);
  EXPECT_EQ(disk.find(kRoot, "f"), -ENOENT);
}

}  // namespace
}  // namespace slipway::forgetful
