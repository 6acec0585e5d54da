// SPDX-License-Identifier: MIT
#include "base/fs.hh"
#include "base/strings.hh"
#include "cli/output.hh"
#include "cli/selection.hh"

namespace tarn::cli {

CommandSpec repo_serve() {
    CommandSpec spec;
    spec.path = "repo serve";
    spec.summary = "Serve the published repository over HTTP until interrupted";
    spec.options = {architecture_option(Architectures::kOne),
                    {"--address", "IP", "address to listen on (127.0.0.1)"},
                    {"--port", "N", "port to listen on (8080; 0 picks a free one)"},
                    {"--path", "DIR", "serve this directory instead of the current snapshot"}};
    spec.run = [](Context& context) -> Result<ExitCode> {
        const Given& given = context.given();
        ServeOptions options;
        if (given.has("path")) {
            options.directory = absolute_path(given.value("path"), current_directory());
        } else {
            const Workspace* workspace = TARN_TRY(chosen_workspace(context));
            options.directory = join_path(workspace->repository_directory(), "current");
        }
        if (!is_directory(options.directory)) {
            return fail(error(ErrorKind::kNotFound,
                              "nothing is published in {}",
                              context.shown(options.directory))
                            .advise("`tarn repo publish` publishes the repository"));
        }
        const auto port = parse_u64(given.value("port", "8080"));
        if (!port || *port > 65535) {
            return fail(ErrorKind::kUsage, "--port: {} is no port number", given.value("port"));
        }
        options.address = given.value("address", "127.0.0.1");
        options.port = static_cast<int>(*port);
        options.ready = [&](int number) {
            print(fmt::format("http://{}:{}/\n", options.address, number));
            std::fflush(stdout);
        };
        if (given.has("verbose")) {
            options.on_request = [](const std::string& line) { talk(line + "\n"); };
        }
        options.stop = context.stop();
        TARN_TRY(serve(options));
        return ExitCode::kDone;
    };
    return spec;
}

}  // namespace tarn::cli
