// SPDX-License-Identifier: MIT
#include "metadata/serve.hh"

#include <signal.h>
#include <sys/epoll.h>
#include <sys/signalfd.h>
#include <unistd.h>

#include <algorithm>
#include <cstdio>
#include <utility>

#include "base/fs.hh"
#include "base/strings.hh"
#include "metadata/server.hh"

namespace tarn::guest {

void log_line(const std::string& line) {
    std::string text = line;
    for (char& c : text) {  // one line, whatever a server put into it
        c = static_cast<unsigned char>(c) < ' ' || c == 0x7f ? ' ' : c;
    }
    std::fprintf(stderr, "%.*s\n", 1000, text.c_str());
}

namespace {

Access read_access(const std::string& directory) {
    std::vector<std::string> complaints;
    Access access = Access::read(directory, system_names(), complaints);
    for (const std::string& line : complaints) {
        log_line(line);
    }
    return access;
}

Result<Fd> signals() {
    sigset_t set;
    sigemptyset(&set);
    for (const int one : {SIGTERM, SIGINT, SIGHUP}) {
        sigaddset(&set, one);
    }
    sigprocmask(SIG_BLOCK, &set, nullptr);
    Fd fd(signalfd(-1, &set, SFD_CLOEXEC | SFD_NONBLOCK));
    if (!fd) {
        return fail(sys_error("wait for", "signals"));
    }
    return fd;
}

}  // namespace

Result<void> serve(const ServeOptions& options) {
    Loop loop = TARN_TRY(Loop::make());
    const Fd signal_fd = TARN_TRY(signals());
    TcpTransport transport(loop);
    Gate gate(loop, transport);
    Fetcher fetcher(loop, gate, options.server);
    BrokerOptions broker_options;
    if (const auto uuid = read_file(options.dmi_uuid_file, 4096)) {
        broker_options.dmi_uuid = trim(*uuid);
    }
    Broker broker(loop, fetcher, read_access(options.configuration), broker_options, log_line);
    Server server(loop, broker);
    auto passed = passed_socket();
    Fd listener = passed ? std::move(*passed) : TARN_TRY(listen_at(options.socket));
    TARN_TRY(server.listen(std::move(listener)));
    bool ended = false;
    TARN_TRY(loop.watch(signal_fd.get(), EPOLLIN, [&](std::uint32_t) {
        signalfd_siginfo info{};
        while (read(signal_fd.get(), &info, sizeof info) == static_cast<ssize_t>(sizeof info)) {
            if (info.ssi_signo == SIGHUP) {
                broker.set_access(read_access(options.configuration));
            } else {
                ended = true;
            }
        }
    }));
    while (!ended) {
        const auto quiet = server.quiet_since();
        Millis wait{60'000};
        if (quiet && options.exit_when_idle > Millis(0)) {
            const Millis left = *quiet + options.exit_when_idle - loop.now();
            if (left <= Millis(0)) {
                break;
            }
            wait = std::min(wait, left);
        }
        TARN_TRY(loop.turn(wait));
    }
    return {};
}

}  // namespace tarn::guest
