// Asks a server of ours as a program on grpc++ would, with bytes for messages: `cpp-client ADDRESS SCENE FILE...`
// sends the messages in these files, each after the reply to the one before, and writes reply N of the server
// to FILE.reply. Prints one line of JSON: the status and how many replies came.
#include <grpcpp/generic/generic_stub.h>
#include <grpcpp/grpcpp.h>

#include <chrono>
#include <cstdio>
#include <fstream>
#include <iterator>
#include <string>
#include <vector>

namespace {

constexpr char kProcess[] = "/envoy.service.ext_proc.v3.ExternalProcessor/Process";
constexpr char kCheck[] = "/envoy.service.auth.v3.Authorization/Check";
constexpr char kUnknown[] = "/envoy.service.auth.v3.Authorization/Guess";
constexpr auto kPatience = std::chrono::seconds(15);
constexpr auto kDeadline = std::chrono::milliseconds(300);

grpc::ByteBuffer ReadFile(const std::string &path) {
  std::ifstream file(path, std::ios::binary);
  const std::string bytes((std::istreambuf_iterator<char>(file)), std::istreambuf_iterator<char>());
  const grpc::Slice slice(bytes);
  return grpc::ByteBuffer(&slice, 1);
}

void WriteFile(const std::string &path, const grpc::ByteBuffer &bytes) {
  std::vector<grpc::Slice> slices;
  if (!bytes.Dump(&slices).ok()) return;
  std::ofstream file(path, std::ios::binary);
  for (const grpc::Slice &slice : slices)
    file.write(reinterpret_cast<const char *>(slice.begin()), static_cast<std::streamsize>(slice.size()));
}

class Client {
 public:
  explicit Client(const std::string &address) : stub_(ChannelTo(address)) {}

  grpc::Status Play(const std::string &scene, const std::vector<std::string> &files, int *replies) {
    const bool hurried = scene == "deadline";
    const auto now = std::chrono::system_clock::now();
    if (hurried) context_.set_deadline(now + kDeadline);
    else context_.set_deadline(now + kPatience);
    const char *method = scene == "check" ? kCheck : scene == "unknown" ? kUnknown : kProcess;
    auto call = stub_.PrepareCall(&context_, method, &queue_);
    call->StartCall(Tag());
    bool going = Wait();
    for (size_t index = 0; going && index < files.size(); index++) {
      // A Check is over with its one message.
      const bool last = method != kProcess;
      grpc::WriteOptions options;
      if (last) options.set_last_message();
      call->Write(ReadFile(files[index]), options, Tag());
      going = Wait();
      if (!going) break;
      grpc::ByteBuffer reply;
      call->Read(&reply, Tag());
      going = Wait();
      if (!going) break;
      ++*replies;
      WriteFile(files[index] + ".reply", reply);
    }
    if (scene == "cancel") context_.TryCancel();
    else if (going && method == kProcess) {
      call->WritesDone(Tag());
      Wait();
    }
    grpc::Status status;
    call->Finish(&status, Tag());
    Wait();
    return status;
  }

 private:
  static std::shared_ptr<grpc::Channel> ChannelTo(const std::string &address) {
    grpc::ChannelArguments arguments;
    arguments.SetMaxReceiveMessageSize(64 << 20);
    return grpc::CreateCustomChannel(address, grpc::InsecureChannelCredentials(), arguments);
  }

  void *Tag() { return this; }

  // Whether the operation under way came to something.
  bool Wait() {
    void *tag;
    bool ok = false;
    return queue_.Next(&tag, &ok) && ok;
  }

  grpc::GenericStub stub_;
  grpc::CompletionQueue queue_;
  grpc::ClientContext context_;
};

}  // namespace

int main(int argc, char **argv) {
  if (argc < 3) return 2;
  int replies = 0;
  Client client(argv[1]);
  const grpc::Status status = client.Play(argv[2], std::vector<std::string>(argv + 3, argv + argc), &replies);
  std::printf("{\"code\":%d,\"replies\":%d}\n", static_cast<int>(status.error_code()), replies);
  return 0;
}
