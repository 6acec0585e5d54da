// SPDX-License-Identifier: MIT
// Arguments in, exit code out.
#include <signal.h>
#include <sys/stat.h>
#include <unistd.h>

#include <chrono>
#include <cstdlib>
#include <optional>
#include <thread>

#include "cli/command.hh"
#include "cli/output.hh"
#include "cli/progress.hh"

namespace tarn::cli {

namespace {

// SIGINT and SIGTERM become a stop request: what runs is ended, what is half written is dropped.
// Another signal, a second later or more, ends the program at once (one ^C can come twice: to the
// process and to its group).
class Interrupts {
  public:
    Interrupts() {
        sigemptyset(&signals_);
        for (const int signal : {SIGINT, SIGTERM, SIGHUP}) {
            struct sigaction inherited {};
            ::sigaction(signal, nullptr, &inherited);
            if (inherited.sa_handler != SIG_IGN) {  // nohup's wish is respected
                sigaddset(&signals_, signal);
            }
        }
        sigaddset(&signals_, SIGRTMIN);  // the end of the program, sent by the destructor
        ::pthread_sigmask(SIG_BLOCK, &signals_, nullptr);
        ::signal(SIGPIPE, SIG_IGN);
        waiter_ = std::thread([this] {
            using Clock = std::chrono::steady_clock;
            std::optional<Clock::time_point> first;
            while (true) {
                const int signal = ::sigwaitinfo(&signals_, nullptr);
                if (signal == SIGRTMIN) {
                    return;
                }
                if (signal < 0) {
                    continue;
                }
                if (first && Clock::now() - *first >= std::chrono::seconds(1)) {
                    ::_exit(static_cast<int>(ExitCode::kInterrupted));
                }
                first = first.value_or(Clock::now());
                stop_.request_stop();
            }
        });
    }
    Interrupts(const Interrupts&) = delete;
    Interrupts& operator=(const Interrupts&) = delete;
    ~Interrupts() {
        ::pthread_kill(waiter_.native_handle(), SIGRTMIN);
        waiter_.join();
    }
    std::stop_token token() const { return stop_.get_token(); }

  private:
    sigset_t signals_{};
    std::stop_source stop_;
    std::thread waiter_;
};

ExitCode exit_code_of(const Error& error) {
    switch (error.kind) {
        case ErrorKind::kUsage:
            return ExitCode::kUsage;
        case ErrorKind::kInterrupted:
            return ExitCode::kInterrupted;
        default:
            return ExitCode::kFailed;
    }
}

bool wants_colour(const Given& given) {
    const std::string when = given.value("color", "auto");
    if (when != "auto") {
        return when == "always";
    }
    const char* no_color = std::getenv("NO_COLOR");
    return stderr_is_terminal() && (no_color == nullptr || no_color[0] == '\0');
}

}  // namespace

int run_tarn(const std::vector<std::string>& arguments) {
    // What is written does not depend on who runs this; secrets set their own modes.
    ::umask(022);
    auto parsed = parse(arguments);
    if (!parsed) {
        talk(draw_error(parsed.error(), stderr_is_terminal()));
        return static_cast<int>(exit_code_of(parsed.error()));
    }
    if (parsed->command == nullptr) {
        print(parsed->help);
        return 0;
    }
    const Given& given = parsed->given;
    const bool colour = wants_colour(given);
    const Interrupts interrupts;
    ConsoleReporter reporter(stderr_is_terminal(),
                             colour,
                             given.has("quiet")     ? Talk::kQuiet
                             : given.has("verbose") ? Talk::kVerbose
                                                    : Talk::kNormal);
    Context context(given, reporter, interrupts.token(), parsed->command->origins);
    auto result = parsed->command->run(context);
    reporter.end();
    if (!result) {
        talk(draw_error(result.error(), colour));
        return static_cast<int>(exit_code_of(result.error()));
    }
    if (::fflush(stdout) != 0) {
        talk("error: cannot write to standard output\n");
        return static_cast<int>(ExitCode::kFailed);
    }
    // The process goes, and what it held with it: to take a project of thousands of components apart
    // first costs time and gives nothing. Temporary files went when the command ended.
    std::_Exit(static_cast<int>(*result));
}

}  // namespace tarn::cli
