// SPDX-License-Identifier: MIT
#include "cli/progress.hh"

#include <sys/ioctl.h>
#include <unistd.h>

#include "base/strings.hh"
#include "cli/output.hh"

namespace tarn::cli {

namespace {

std::string amount(std::uint64_t value, std::string_view unit) {
    return unit == "B" ? human_size(value) : std::to_string(value);
}

std::size_t width_of_stderr() {
    winsize size{};
    return ::ioctl(2, TIOCGWINSZ, &size) == 0 && size.ws_col > 0 ? size.ws_col : 80;
}

}  // namespace

ConsoleReporter::~ConsoleReporter() {
    clear();
}

void ConsoleReporter::say(const std::string& line) {
    clear();
    talk(line + "\n");
}

void ConsoleReporter::clear() {
    if (drawn_) {
        talk("\r\x1b[K");
        drawn_ = false;
    }
}

void ConsoleReporter::begin(std::string_view step, std::uint64_t total, std::string_view unit) {
    const std::lock_guard guard(mutex_);
    active_ = true;
    step_ = step;
    unit_ = unit;
    item_.clear();
    total_ = total;
    done_ = 0;
    start_ = Clock::now();
    // A step that ends within a moment is never drawn.
    last_draw_ = start_;
}

void ConsoleReporter::advance(std::uint64_t done, std::string_view item) {
    const std::lock_guard guard(mutex_);
    if (!active_ || done < done_) {
        return;
    }
    done_ = done;
    item_ = item;
    const auto pause = terminal_ ? std::chrono::milliseconds(100) : std::chrono::seconds(10);
    if (Clock::now() - last_draw_ >= pause) {
        draw(false);
    }
}

void ConsoleReporter::draw(bool last) {
    if (talk_ == Talk::kQuiet) {
        return;
    }
    last_draw_ = Clock::now();
    const double seconds = std::chrono::duration<double>(last_draw_ - start_).count();
    std::string line = fmt::format("  {} {}", step_, amount(done_, unit_));
    if (total_ != 0) {
        line += " of " + amount(total_, unit_);
    }
    if (unit_ != "B") {
        line += " " + unit_;
    }
    const double rate = static_cast<double>(done_) / (seconds > 0 ? seconds : 1);
    if (last) {
        line += " in " + human_time(seconds);
    } else if (rate > 0 && seconds > 0.5) {
        line += unit_ == "B" ? fmt::format(", {}/s", human_size(static_cast<std::uint64_t>(rate)))
                             : fmt::format(", {:.0f}/s", rate);
        if (total_ > done_) {
            line += ", ETA " + human_time(static_cast<double>(total_ - done_) / rate);
        }
    }
    if (!terminal_) {
        talk(line + "\n");
        return;
    }
    if (!last && !item_.empty()) {
        line += "  " + item_;
    }
    const std::size_t width = width_of_stderr();
    if (line.size() >= width) {
        line.resize(width - 1);
    }
    talk("\r\x1b[K" + line + (last ? "\n" : ""));
    drawn_ = !last;
}

void ConsoleReporter::end() {
    const std::lock_guard guard(mutex_);
    const bool worth_a_line = Clock::now() - start_ > std::chrono::seconds(2);
    if (active_ && worth_a_line) {
        clear();
        draw(true);
    }
    clear();
    active_ = false;
}

void ConsoleReporter::info(std::string_view line) {
    const std::lock_guard guard(mutex_);
    if (talk_ != Talk::kQuiet) {
        say(std::string(line));
    }
}

void ConsoleReporter::warn(std::string_view line) {
    const std::lock_guard guard(mutex_);
    // A drawn diagnostic says "warning" itself.
    const bool says_so = contains(line, "warning: ");
    const std::string word = says_so ? "" : colour_ ? "\x1b[1;33mwarning:\x1b[0m " : "warning: ";
    say(word + std::string(line));
}

}  // namespace tarn::cli
