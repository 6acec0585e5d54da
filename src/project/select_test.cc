// SPDX-License-Identifier: MIT
#include "project/select.hh"

#include "project/loaded_test.hh"

namespace tarn {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

class Select : public testing::Test {
  protected:
    Select() {
        it_.file("tarn.toml", R"(
[distros.d.versions.1]
[default-component-config.spec]
type = "upstream"
upstream-distro = { name = "d", version = "1" }
[components.bash]
[components.bat]
[components.zsh]
[components.'libxml++']
[component-groups.shells]
components = ["zsh", "bash"]
specs = ["specs/*.spec"]
)")
            .file("specs/own.spec", "Name: own\n")
            .load();
    }

    std::vector<std::string> names(const Selection& selection) {
        std::vector<std::string> result;
        warnings_.clear();
        const auto selected = select_components(it_.project(), selection);
        if (!selected) {
            const Error& error = selected.error();
            result.push_back(error.message);
            result.insert(result.end(), error.notes.begin(), error.notes.end());
            result.insert(result.end(), error.help.begin(), error.help.end());
            return result;
        }
        for (const Component* component : selected->components) {
            result.push_back(component->name);
        }
        warnings_ = selected->warnings;
        return result;
    }

    Loaded it_{};
    std::vector<std::string> warnings_{};
};

TEST_F(Select, SpecPathsThenNamesInOrderThenGroupsEachOnce) {
    Selection selection;
    selection.names = {"zsh", "ba*", "libxml++"};
    selection.spec_paths = {it_.path("specs/own.spec")};
    selection.groups = {"shells"};
    EXPECT_THAT(names(selection), ElementsAre("own", "zsh", "bash", "bat", "libxml++"));
}

TEST_F(Select, AllIsByName) {
    Selection selection;
    selection.all = true;
    selection.names = {"zsh"};
    EXPECT_THAT(names(selection), ElementsAre("bash", "bat", "libxml++", "own", "zsh"));
}

TEST_F(Select, GroupsCanBeTakenAsAzldevTakesThem) {
    Selection selection;
    selection.groups = {"shells"};
    EXPECT_THAT(names(selection), ElementsAre("bash", "own", "zsh"));
    selection.listed_members = false;
    EXPECT_THAT(names(selection), ElementsAre("own"));
    EXPECT_THAT(warnings_, ElementsAre(HasSubstr("lists 2 components")));
}

TEST_F(Select, NothingNamedAndNothingMatchedAreWarnings) {
    EXPECT_THAT(names({}), IsEmpty());
    EXPECT_THAT(warnings_, ElementsAre(HasSubstr("no component was named")));
    Selection selection;
    selection.names = {"x*", "[b]a?h"};
    EXPECT_THAT(names(selection), ElementsAre("bash"));
    EXPECT_THAT(warnings_, ElementsAre("no component matches x*"));
}

TEST_F(Select, OneErrorNamesAllThatIsNotThere) {
    Selection selection;
    selection.names = {"bsh", "bash", "[x"};
    selection.groups = {"shels"};
    selection.spec_paths = {it_.path("specs/gone.spec")};
    EXPECT_THAT(names(selection),
                ElementsAre("4 of what was named is not there",
                            "there is no component with the spec `" + it_.path("specs/gone.spec") +
                                "`",
                            "there is no component `bsh`",
                            "\"[x\" is not a valid pattern: a [ is not closed",
                            "there is no component group `shels`",
                            HasSubstr("gone.spec: did you mean"),
                            HasSubstr("bsh: did you mean `bash`"),
                            "shels: did you mean `shells`?"));
    selection.all = true;
    EXPECT_THAT(names(selection).front(), HasSubstr("4 of what"));
}

}  // namespace
}  // namespace tarn
