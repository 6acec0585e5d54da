// SPDX-License-Identifier: MIT
// Cached reads of the metadata broker by local clients: bench_guest_metadata [CLIENTS [SECONDS]]
// The broker runs in a child with a metadata service that answers at once; each client asks again
// when it has its answer.
#include <fmt/format.h>
#include <signal.h>
#include <sys/epoll.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <chrono>
#include <cstdlib>

#include "base/fs.hh"
#include "varlink/client.hh"
#include "metadata/server.hh"

using namespace tarn;
using namespace tarn::guest;

namespace {

using Clock = std::chrono::steady_clock;

constexpr const char* kInstance =
    R"({"compute":{"name":"web_3","location":"westeurope","vmId":"0f0e0d0c-1111-2222-3333-444455556666"}})";
constexpr const char* kToken = R"({"access_token":"eyJ0.a.b","expires_in":"86399"})";

class Canned : public Transport {
  public:
    explicit Canned(Loop& loop) : loop_(loop) {}
    void start(const HttpRequest& request, Exchanged done) override {
        const bool token = request.target.find("/identity/") != std::string::npos;
        loop_.after(Millis(0), [done = std::move(done), token] {
            done(HttpResponse{200, {}, token ? kToken : kInstance});
        });
    }

  private:
    Loop& loop_;
};

[[noreturn]] void run_broker(const std::string& path) {
    prctl(PR_SET_PDEATHSIG, SIGKILL);
    auto loop = Loop::make();
    Canned transport(*loop);
    Gate gate(*loop, transport);
    Fetcher fetcher(*loop, gate, Endpoint{"127.0.0.1", 80});
    Broker broker(*loop, fetcher, Access(), BrokerOptions(), [](const std::string&) {});
    Server server(*loop, broker);
    auto listener = listen_at(path);
    TARN_CHECK(listener && server.listen(std::move(*listener)));
    while (loop->turn(Millis(1000))) {
    }
    _exit(1);
}

struct Client {
    VarlinkClient connection;
    Clock::time_point asked;
    std::size_t count = 0;
};

std::array<std::string, 3> calls() {
    const std::string nul(1, '\0');
    return {
        call_text("org.tarn.Metadata.Get", R"({"key":"/instance/compute/name"})") + nul,
        call_text("org.tarn.Metadata.Get", R"({"key":"/instance"})") + nul,
        call_text("org.tarn.Metadata.GetToken", R"({"resource":"https://vault.azure.net"})") + nul};
}

void report(int clients, std::vector<float> times, double wall) {
    std::ranges::sort(times);
    const auto at = [&](double part) {
        return times[static_cast<std::size_t>(static_cast<double>(times.size() - 1) * part)];
    };
    fmt::print(
        "{} clients: {:.0f} cached reads/s; median {:.0f} us, p99 {:.0f} us, p99.9 {:.0f} us\n",
        clients,
        static_cast<double>(times.size()) / wall,
        at(0.5),
        at(0.99),
        at(0.999));
}

std::vector<Client> connect_all(const std::string& path, int clients, int epoll) {
    std::vector<Client> all;
    for (int i = 0; i < clients; ++i) {
        auto connected = VarlinkClient::connect(path);
        TARN_CHECK(connected.has_value());
        epoll_event event{};
        event.events = EPOLLIN;
        event.data.u64 = all.size();
        TARN_CHECK(epoll_ctl(epoll, EPOLL_CTL_ADD, connected->fd(), &event) == 0);
        all.push_back({std::move(*connected), {}, 0});
    }
    return all;
}

}  // namespace

int main(int argc, char** argv) {
    const int clients = argc > 1 ? std::atoi(argv[1]) : 16;
    const int seconds = argc > 2 ? std::atoi(argv[2]) : 5;
    const auto directory = TempDir::make();
    const std::string path = directory->path() + "/socket";
    const pid_t broker = fork();
    if (broker == 0) {
        run_broker(path);
    }
    while (!path_exists(path)) {
        usleep(1000);
    }
    usleep(50'000);
    const auto what = calls();
    const int epoll = epoll_create1(EPOLL_CLOEXEC);
    std::vector<Client> all = connect_all(path, clients, epoll);
    const auto ask = [&](Client& one) {
        one.asked = Clock::now();
        const std::string& call = what[one.count++ % what.size()];
        TARN_CHECK(send(one.connection.fd(), call.data(), call.size(), 0) > 0);
    };
    for (Client& one : all) {
        ask(one);
    }
    std::vector<float> times;
    times.reserve(4'000'000);
    std::array<epoll_event, 64> events{};
    std::array<char, 8192> buffer{};
    const auto begin = Clock::now();
    auto now = begin;
    while (now - begin < std::chrono::seconds(seconds)) {
        const int count = epoll_wait(epoll, events.data(), static_cast<int>(events.size()), 1000);
        for (int i = 0; i < count; ++i) {
            Client& one = all[events[static_cast<std::size_t>(i)].data.u64];
            const ssize_t got = recv(one.connection.fd(), buffer.data(), buffer.size(), 0);
            TARN_CHECK(got > 0 && buffer[static_cast<std::size_t>(got) - 1] == '\0');
            now = Clock::now();
            times.push_back(std::chrono::duration<float, std::micro>(now - one.asked).count());
            ask(one);
        }
    }
    const double wall = std::chrono::duration<double>(now - begin).count();
    report(clients, std::move(times), wall);
    kill(broker, SIGKILL);
    waitpid(broker, nullptr, 0);
    return 0;
}
