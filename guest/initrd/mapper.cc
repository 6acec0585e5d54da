// SPDX-License-Identifier: MIT
#include "mapper.hh"

#include <fcntl.h>
#include <linux/dm-ioctl.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>

namespace tarn::initrd {
namespace {

constexpr const char* kControl = "/dev/mapper/control";

// One request: the header, and behind it what the command takes.
class Request {
  public:
    Request(const std::string& name, std::size_t payload)
        : bytes_(sizeof(dm_ioctl) + payload, '\0') {
        dm_ioctl header{};
        header.version[0] = DM_VERSION_MAJOR;
        header.data_size = static_cast<unsigned>(bytes_.size());
        header.data_start = sizeof(dm_ioctl);
        header.flags = DM_READONLY_FLAG;
        name.copy(header.name, sizeof header.name - 1);
        put(header);
    }
    dm_ioctl header() const {
        dm_ioctl out{};
        std::memcpy(&out, bytes_.data(), sizeof out);
        return out;
    }
    void put(const dm_ioctl& header) { std::memcpy(bytes_.data(), &header, sizeof header); }
    char* payload() { return bytes_.data() + sizeof(dm_ioctl); }
    bool send(int control, unsigned long command) {
        return ioctl(control, command, bytes_.data()) == 0;
    }

  private:
    std::string bytes_;
};

bool load_table(int control, const std::string& name, const VerityTable& table) {
    // The kernel wants each target to end at a multiple of 8 bytes.
    const std::size_t size = (sizeof(dm_target_spec) + table.parameters.size() + 8) / 8 * 8;
    Request request(name, size);
    dm_ioctl header = request.header();
    header.target_count = 1;
    request.put(header);
    dm_target_spec target{};
    target.length = table.sectors;
    target.next = static_cast<unsigned>(size);
    std::memcpy(target.target_type, "verity", sizeof "verity");
    std::memcpy(request.payload(), &target, sizeof target);
    table.parameters.copy(request.payload() + sizeof target, table.parameters.size());
    return request.send(control, DM_TABLE_LOAD);
}

std::string failed(const char* what) {
    return std::string(what) + ": " + std::strerror(errno);
}

std::string map_with(int control,
                     const std::string& name,
                     const std::string& uuid,
                     const VerityTable& table) {
    Request create(name, 0);
    dm_ioctl header = create.header();
    uuid.copy(header.uuid, sizeof header.uuid - 1);
    create.put(header);
    if (!create.send(control, DM_DEV_CREATE)) {
        return failed("cannot make a device");
    }
    const unsigned long long device = create.header().dev;
    if (!load_table(control, name, table)) {
        return failed("the kernel refuses the table");
    }
    Request resume(name, 0);  // neither flag: a resume
    if (!resume.send(control, DM_DEV_SUSPEND)) {
        return failed("cannot start the device");
    }
    // udev is not there to make it.
    const std::string target = "../dm-" + std::to_string(minor(static_cast<dev_t>(device)));
    const std::string link = "/dev/mapper/" + name;
    if (symlink(target.c_str(), link.c_str()) != 0 && errno != EEXIST) {
        return failed("cannot make its link");
    }
    return {};
}

}  // namespace

std::string map_verity(const std::string& name, const std::string& uuid, const VerityTable& table) {
    const int control = open(kControl, O_RDWR | O_CLOEXEC);
    if (control < 0) {
        return failed("there is no device mapper") + " (is dm-verity among initrd-modules?)";
    }
    std::string problem = map_with(control, name, uuid, table);
    close(control);
    return problem;
}

}  // namespace tarn::initrd
