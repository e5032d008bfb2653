#include "app/backup/gzip.hpp"

#include <fcntl.h>
#include <unistd.h>
#include <zlib.h>

#include <cerrno>
#include <fstream>
#include <iterator>
#include <memory>
#include <system_error>

#include "app/descriptor.hpp"
#include "core/fault.hpp"
#include "data/export_format.hpp"

namespace al::app::backup {
namespace {

namespace fs = std::filesystem;

constexpr std::size_t piece_bytes = 1 << 17;
/// Of zlib's window, in bits; 16 more stand for the header of gzip.
constexpr int gzip_window = 15 + 16;

[[noreturn]] void throw_fault(std::string const& what, fs::path const& file, int error) {
  throw Fault(what + " " + file.string() + ": " + std::generic_category().message(error));
}

int open_reading(fs::path const& file) {
  int const number = ::open(file.c_str(), O_RDONLY | O_CLOEXEC);
  if (number < 0)
    throw_fault("cannot read", file, errno);
  return number;
}

int create(fs::path const& file) {
  int const number = ::open(file.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, 0600);
  if (number < 0)
    throw_fault("cannot make", file, errno);
  return number;
}

/// The bytes read into the front of `piece`; none at the end.
std::string_view read_piece(int number, std::string& piece, fs::path const& file) {
  ssize_t length = 0;
  do {
    length = ::read(number, piece.data(), piece.size());
  } while (length < 0 && errno == EINTR);
  if (length < 0)
    throw_fault("cannot read", file, errno);
  return std::string_view(piece).substr(0, static_cast<std::size_t>(length));
}

void write_all(int number, std::string_view text, fs::path const& file) {
  while (!text.empty()) {
    auto const written = ::write(number, text.data(), text.size());
    if (written < 0 && errno != EINTR)
      throw_fault("cannot write", file, errno);
    text.remove_prefix(written < 0 ? 0 : static_cast<std::size_t>(written));
  }
}

void sync(int number, fs::path const& file) {
  if (::fsync(number) != 0)
    throw_fault("cannot write", file, errno);
}

struct Closer {
  void operator()(gzFile_s* file) const { gzclose(file); }
};
using Packed = std::unique_ptr<gzFile_s, Closer>;

/// zlib closes the descriptor that it is given.
Packed open_packed(int number, char const* mode) {
  Packed file(gzdopen(number, mode));
  if (!file) {
    ::close(number);
    throw Fault("not enough memory");
  }
  return file;
}

}  // namespace

FileFacts measure(fs::path const& file) {
  Descriptor const input(open_reading(file));
  std::string piece(piece_bytes, '\0');
  data::Checksum checksum;
  FileFacts facts;
  for (auto text = read_piece(input.number(), piece, file); !text.empty();
       text = read_piece(input.number(), piece, file)) {
    checksum.add(text);
    facts.bytes += text.size();
  }
  facts.sha256 = checksum.take();
  return facts;
}

void pack(fs::path const& from, fs::path const& to) {
  Descriptor const input(open_reading(from));
  Descriptor const output(create(to));
  auto packed = open_packed(::fcntl(output.number(), F_DUPFD_CLOEXEC, 0), "wb6");
  std::string piece(piece_bytes, '\0');
  for (auto text = read_piece(input.number(), piece, from); !text.empty();
       text = read_piece(input.number(), piece, from)) {
    if (gzwrite(packed.get(), text.data(), static_cast<unsigned>(text.size())) == 0)
      throw_fault("cannot write", to, errno);
  }
  if (gzclose(packed.release()) != Z_OK)
    throw_fault("cannot write", to, errno);
  sync(output.number(), to);
}

Result<void> unpack(fs::path const& from, fs::path const& to) {
  auto packed = open_packed(open_reading(from), "rb");
  Descriptor const output(create(to));
  std::string piece(piece_bytes, '\0');
  auto const damaged = [&] {
    return fail(Code::invalid, from.filename().string() + " is damaged: it cannot be unpacked");
  };
  int length = 0;
  while ((length = gzread(packed.get(), piece.data(), static_cast<unsigned>(piece.size()))) > 0)
    write_all(output.number(), std::string_view(piece).substr(0, static_cast<std::size_t>(length)), to);
  if (length < 0 || gzclose(packed.release()) != Z_OK)
    return damaged();
  sync(output.number(), to);
  return {};
}

std::string unpack_beginning(fs::path const& file, std::size_t bytes_max) {
  std::ifstream in(file, std::ios::binary);
  std::string packed((std::istreambuf_iterator<char>(in)), std::istreambuf_iterator<char>());
  if (!in)
    throw_fault("cannot read", file, errno);
  z_stream stream{};
  if (inflateInit2(&stream, gzip_window) != Z_OK)
    throw Fault("not enough memory");
  std::string out(bytes_max, '\0');
  stream.next_in = static_cast<Bytef*>(static_cast<void*>(packed.data()));
  stream.avail_in = static_cast<uInt>(packed.size());
  stream.next_out = static_cast<Bytef*>(static_cast<void*>(out.data()));
  stream.avail_out = static_cast<uInt>(out.size());
  inflate(&stream, Z_SYNC_FLUSH);  // goes as far as it can; where it stops is all that the caller asks for
  out.resize(out.size() - stream.avail_out);
  inflateEnd(&stream);
  return out;
}

void write_new_file(fs::path const& file, std::string_view text) {
  Descriptor const output(create(file));
  write_all(output.number(), text, file);
  sync(output.number(), file);
}

void sync_directory(fs::path const& directory) {
  Descriptor const opened(::open(directory.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  if (opened.number() < 0)
    throw_fault("cannot read", directory, errno);
  sync(opened.number(), directory);
}

}  // namespace al::app::backup
