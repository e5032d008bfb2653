# Flags and definitions of every target. They live in one interface target so that one precompiled header fits all.

set(AL_SANITIZE "" CACHE STRING "Value for -fsanitize=, empty for none")
option(AL_FAILPOINTS "Compile the AL_FAILPOINT(name) sites in" OFF)
option(AL_PCH "Use the precompiled headers; OFF shows which includes a file lacks" ON)

if(NOT CMAKE_CXX_COMPILER_ID STREQUAL "Clang" OR CMAKE_CXX_COMPILER_VERSION VERSION_LESS 19)
  message(FATAL_ERROR "clang 19 or later is needed: g++ 12 miscompiles coroutines. Use a preset: cmake --preset debug")
endif()

set(CMAKE_CXX_STANDARD 23)
set(CMAKE_CXX_STANDARD_REQUIRED ON)
set(CMAKE_CXX_EXTENSIONS OFF)
set(CMAKE_EXPORT_COMPILE_COMMANDS ON)
set(CMAKE_RUNTIME_OUTPUT_DIRECTORY "${CMAKE_BINARY_DIR}/bin")
set(CMAKE_ARCHIVE_OUTPUT_DIRECTORY "${CMAKE_BINARY_DIR}/lib")

# No NDEBUG anywhere: an assert of ours ends the process in release as well, since the state is in the database.
set(CMAKE_CXX_FLAGS_DEBUG "-O1 -g1")
set(CMAKE_CXX_FLAGS_RELEASE "-O2")

find_program(AL_CCACHE ccache)
mark_as_advanced(AL_CCACHE)
if(AL_CCACHE AND NOT CMAKE_CXX_COMPILER_LAUNCHER)
  # The sloppiness is what ccache asks for before it caches anything that uses a precompiled header.
  set(CMAKE_CXX_COMPILER_LAUNCHER "${CMAKE_COMMAND}" -E env
      CCACHE_SLOPPINESS=pch_defines,time_macros,include_file_mtime,include_file_ctime "${AL_CCACHE}")
endif()

add_library(al_options INTERFACE)
target_include_directories(al_options INTERFACE "${CMAKE_SOURCE_DIR}/src")
target_compile_features(al_options INTERFACE cxx_std_23)

target_compile_definitions(al_options INTERFACE
    AL_VERSION="${PROJECT_VERSION}"
    _GLIBCXX_ASSERTIONS
    BOOST_ALL_NO_LIB
    BOOST_ASIO_SEPARATE_COMPILATION
    BOOST_ASIO_NO_DEPRECATED
    BOOST_ASIO_DISABLE_BOOST_COROUTINE
    BOOST_ASIO_DISABLE_BOOST_REGEX
    BOOST_BEAST_SEPARATE_COMPILATION
    # Boost's own asserts sit in inner loops: they stay in debug builds only.
    $<$<CONFIG:Release>:BOOST_DISABLE_ASSERTS>
    $<$<BOOL:${AL_FAILPOINTS}>:AL_FAILPOINTS>)

target_compile_options(al_options INTERFACE
    -Wall -Wextra -Wpedantic -Werror -Wno-c23-extensions
    -fPIE
    -fdiagnostics-color=always
    # Paths in the binary are relative to the repository, so builds are equal wherever they are made.
    "-ffile-prefix-map=${CMAKE_SOURCE_DIR}/="
    # A time stamp inside the precompiled header would make every ccache look-up miss.
    "SHELL:-Xclang -fno-pch-timestamp")
target_link_options(al_options INTERFACE -fuse-ld=lld -pie)

if(AL_SANITIZE)
  set(sanitizer_flags "-fsanitize=${AL_SANITIZE}" -fno-sanitize-recover=all -fno-omit-frame-pointer)
  target_compile_options(al_options INTERFACE ${sanitizer_flags})
  target_link_options(al_options INTERFACE ${sanitizer_flags})
elseif(CMAKE_BUILD_TYPE STREQUAL "Release")
  target_compile_definitions(al_options INTERFACE _FORTIFY_SOURCE=2)
  target_compile_options(al_options INTERFACE -fstack-protector-strong -fstack-clash-protection)
  target_link_options(al_options INTERFACE -Wl,-z,relro -Wl,-z,now -Wl,-z,noexecstack -Wl,--as-needed)
endif()
