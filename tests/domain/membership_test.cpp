// Groups, their members and their sessions.
#include "core/domain/membership_rules.hpp"
#include "tests/domain/story.hpp"

namespace slipway::domain::testing {
namespace {

Command doing(CommandBody body, const std::string& tenant = "demo") {
  Command c;
  c.caller = caller(tenant);
  c.task = task(5000);
  c.body = std::move(body);
  return c;
}

User alex() {
  User u;
  u.name = "alex";
  u.password = "password-1";
  u.sealed_for = kPeopleTenant;
  return u;
}

// alex in the group "staff", whose role is "user".
Story staffed() {
  Story s;
  s.given(doing(CreateRole{{"clerk", {"dashboard"}}}));
  s.given(doing(CreateGroup{{"staff", "Staff", {"clerk"}, {}}, id<ProjectId>(1)}));
  s.given(doing(CreateUser{alex()}));
  s.given(doing(AddGroupMember{"staff", "alex"}));
  return s;
}

Login login(std::uint64_t n) {
  return {id<LoginId>(n), "alex", "staff", "hash-" + std::to_string(n)};
}

TEST(Group, IsATenantAndItsMembersActForIt) {
  Story s = staffed();
  EXPECT_NE(s.world.project("staff"), nullptr);
  EXPECT_EQ(s.world.user("alex")->tenant, "staff");
  EXPECT_EQ(s.world.user("alex")->role, Role::Operator);
  EXPECT_EQ(s.world.user("alex")->secret_tenant(), kPeopleTenant);
  s.when(doing(AddGroupMember{"staff", "alex"})).refused(Errc::IllegalTransition);
}

TEST(Group, StaysWhileItHasMembersOrVms) {
  Story s = staffed();
  s.when(doing(DeleteGroup{"staff"})).refused(Errc::IllegalTransition);
  s.when(doing(DeleteRole{"clerk"})).refused(Errc::IllegalTransition);
  Command theirs = create(1);
  theirs.caller = caller("staff");
  s.given(theirs);
  s.given(doing(RemoveGroupMember{"staff", "alex"}));
  EXPECT_EQ(s.world.user("alex")->tenant, "");
  EXPECT_EQ(s.world.user("alex")->role, Role::None);
  s.when(doing(DeleteGroup{"staff"})).refused(Errc::IllegalTransition);
  Command stop = cancel(1);
  stop.caller = caller("staff");
  s.given(stop);
  s.when(doing(DeleteGroup{"staff"})).then(followed(5000, {"group-staff GroupDeleted"}));
  s.when(doing(DeleteRole{"clerk"})).accepted();
}

TEST(Session, IsOfAMemberOnlyAndEndsWithTheMembershipOrThePassword) {
  Story s = staffed();
  s.given(doing(OpenSession{login(1), {}}));
  s.given(doing(OpenSession{login(2), {}}));
  s.when(doing(RenewSession{id<LoginId>(1)}, "other")).refused(Errc::NotFound);
  s.when(doing(RenewSession{id<LoginId>(1)}, "staff")).accepted();
  s.given(doing(SetUserPassword{"alex", "password-2"}));
  EXPECT_TRUE(s.world.membership().logins().empty());
  s.given(doing(OpenSession{login(3), {}}));
  s.given(doing(RemoveGroupMember{"staff", "alex"}));
  EXPECT_TRUE(s.world.membership().logins().empty());
  s.when(doing(OpenSession{login(4), {}})).refused(Errc::IllegalTransition);
}

TEST(Session, OpeningOneClosesThoseThatHaveEnded) {
  Story s = staffed();
  s.given(doing(OpenSession{login(1), {}}));
  s.given(doing(OpenSession{login(2), {id<LoginId>(1), id<LoginId>(77)}}));
  ASSERT_EQ(s.world.membership().logins().size(), 1U);
  EXPECT_EQ(s.world.membership().login(id<LoginId>(2))->sha256_hex, "hash-2");
  EXPECT_EQ(s.restored().dump_for_test(), s.world.dump_for_test());
}

TEST(Found, OnlyWhereThereIsNobody) {
  FoundPeople found;
  found.user = {{}, "root", "admin", Role::Admin, "password-1"};
  found.role = {"super", {"user"}};
  found.group = {"admin", "Administrators", {"super"}, {}};
  Story s;
  s.given(doing(found));
  EXPECT_EQ(s.world.user("root")->tenant, "admin");
  EXPECT_NE(s.world.membership().group("admin"), nullptr);
  s.when(doing(found)).refused(Errc::IllegalTransition);
}

}  // namespace
}  // namespace slipway::domain::testing
