# How a folder of src/ becomes a library, a test program and a benchmark program.

set(AL_TEST_TIMEOUT_S 120 CACHE STRING "Seconds one test may take")
set(AL_TEST_ENVIRONMENT
    "ASAN_OPTIONS=detect_stack_use_after_return=1:strict_string_checks=1:check_initialization_order=1"
    "UBSAN_OPTIONS=print_stacktrace=1"
    "TSAN_OPTIONS=second_deadlock_stack=1:halt_on_error=1:suppressions=${CMAKE_SOURCE_DIR}/tests/tsan.suppressions")
if(AL_SYMBOLIZER)
  list(TRANSFORM AL_TEST_ENVIRONMENT APPEND ":external_symbolizer_path=${AL_SYMBOLIZER}")
endif()

# One precompiled header for all libraries and one for all tests: the flags are the same everywhere.
# The source is generated so that the dependency scan has a file to compile.
file(CONFIGURE OUTPUT "${CMAKE_BINARY_DIR}/generated/pch/pch.cpp" CONTENT "" @ONLY)
foreach(name pch pch_tests)
  add_library(${name} OBJECT EXCLUDE_FROM_ALL "${CMAKE_BINARY_DIR}/generated/pch/pch.cpp")
  target_link_libraries(${name} PRIVATE al_options Boost::headers)
endforeach()
target_link_libraries(pch_tests PRIVATE GTest::gtest)  # for the definitions that gtest.h looks at
target_precompile_headers(pch PRIVATE "${CMAKE_SOURCE_DIR}/cmake/pch.hpp")
target_precompile_headers(pch_tests PRIVATE "${CMAKE_SOURCE_DIR}/cmake/pch.hpp" <gtest/gtest.h>)

# Adds what is common to all our programs and libraries.
function(al_common target header)
  target_link_libraries(${target} PRIVATE al_options)
  if(AL_PCH)
    target_precompile_headers(${target} REUSE_FROM ${header})
  endif()
endfunction()

# al_test_program(<name> SOURCES ... LINKS ... [TOGETHER])
# Every test case is a ctest entry of its own, unless TOGETHER: then the program is one entry, because its cases share
# something that takes seconds to start (a PostgreSQL server): a few entries, so that they can run beside each other.
# Such a program leaves its counts in test-results/.
function(al_test_program name)
  cmake_parse_arguments(arg "TOGETHER" "" "SOURCES;LINKS" ${ARGN})
  add_executable(${name} ${arg_SOURCES})
  al_common(${name} pch_tests)
  target_link_libraries(${name} PRIVATE ${arg_LINKS} testing GTest::gmock GTest::gtest GTest::gtest_main)
  if(arg_TOGETHER)
    math(EXPR timeout "${AL_TEST_TIMEOUT_S} * 5")
    set(parts 3)
    foreach(part RANGE 1 ${parts})
      math(EXPR index "${part} - 1")
      add_test(NAME ${name}.${part}
          COMMAND ${name} "--gtest_output=json:${CMAKE_BINARY_DIR}/test-results/${name}.${part}.json"
          WORKING_DIRECTORY "${CMAKE_SOURCE_DIR}")
      set_tests_properties(${name}.${part} PROPERTIES TIMEOUT ${timeout}
          ENVIRONMENT "${AL_TEST_ENVIRONMENT};GTEST_TOTAL_SHARDS=${parts};GTEST_SHARD_INDEX=${index}")
    endforeach()
  else()
    string(REGEX REPLACE "_test$" "." prefix ${name})
    gtest_discover_tests(${name} TEST_PREFIX "${prefix}" DISCOVERY_MODE PRE_TEST
        WORKING_DIRECTORY "${CMAKE_SOURCE_DIR}"
        PROPERTIES ENVIRONMENT "${AL_TEST_ENVIRONMENT}" TIMEOUT ${AL_TEST_TIMEOUT_S})
  endif()
endfunction()

# al_library(<target> <directory> USES ... LINKS ... [TESTS_TOGETHER])
# *_test.cpp and *_bench.cpp beside the sources become <target>_test and <target>_bench. A folder without a .cpp is a
# library of headers, and one that does not exist yet is an empty one.
function(al_library target directory)
  cmake_parse_arguments(arg "TESTS_TOGETHER" "" "USES;LINKS" ${ARGN})
  file(GLOB_RECURSE sources CONFIGURE_DEPENDS "${directory}/*.cpp")
  set(tests ${sources})
  set(benchmarks ${sources})
  list(FILTER tests INCLUDE REGEX "_test\\.cpp$")
  list(FILTER benchmarks INCLUDE REGEX "_bench\\.cpp$")
  list(FILTER sources EXCLUDE REGEX "(_test|_bench|/main)\\.cpp$")

  if(sources)
    add_library(${target} STATIC ${sources})
    al_common(${target} pch)
    target_link_libraries(${target} PUBLIC ${arg_USES} ${arg_LINKS})
  else()
    add_library(${target} INTERFACE)
    target_link_libraries(${target} INTERFACE ${arg_USES} ${arg_LINKS})
  endif()
  if(tests)
    if(arg_TESTS_TOGETHER)
      al_test_program(${target}_test SOURCES ${tests} LINKS ${target} TOGETHER)
    else()
      al_test_program(${target}_test SOURCES ${tests} LINKS ${target})
    endif()
  endif()
  if(benchmarks)
    al_benchmark_program(${target}_bench SOURCES ${benchmarks} LINKS ${target})
  endif()
endfunction()

# Benchmarks run with the tests in a tiny size, so that they cannot rot.
function(al_benchmark_program name)
  cmake_parse_arguments(arg "" "" "SOURCES;LINKS" ${ARGN})
  add_executable(${name} ${arg_SOURCES})
  al_common(${name} pch)
  target_link_libraries(${name} PRIVATE ${arg_LINKS} benchmark::benchmark benchmark::benchmark_main)
  add_test(NAME ${name}_tiny COMMAND ${name} --benchmark_min_time=0.001 WORKING_DIRECTORY "${CMAKE_SOURCE_DIR}")
  set_tests_properties(${name}_tiny PROPERTIES ENVIRONMENT "${AL_TEST_ENVIRONMENT}" TIMEOUT ${AL_TEST_TIMEOUT_S})
endfunction()

function(al_folder name)
  al_library(${name} "${CMAKE_SOURCE_DIR}/src/${name}" ${ARGN})
endfunction()

# One library for each role, services_<role>; `services` stands for all of them. services/common is what they share.
function(al_services)
  add_library(services INTERFACE)
  file(GLOB roles CONFIGURE_DEPENDS LIST_DIRECTORIES true "${CMAKE_SOURCE_DIR}/src/services/*")
  foreach(directory ${roles})
    if(IS_DIRECTORY "${directory}")
      get_filename_component(role "${directory}" NAME)
      al_library(services_${role} "${directory}" ${ARGN})
      target_link_libraries(services INTERFACE services_${role})
      if(NOT role STREQUAL "common")
        get_target_property(kind services_${role} TYPE)
        if(kind STREQUAL "INTERFACE_LIBRARY")
          target_link_libraries(services_${role} INTERFACE services_common)
        else()
          target_link_libraries(services_${role} PUBLIC services_common)
        endif()
      endif()
    endif()
  endforeach()
endfunction()

# The product. While its main file is not written, the target stands for its library.
function(al_program name main)
  if(NOT EXISTS "${CMAKE_SOURCE_DIR}/${main}")
    add_custom_target(${name})
    add_dependencies(${name} app)
    return()
  endif()
  add_executable(${name} "${main}")
  al_common(${name} pch)
  target_link_libraries(${name} PRIVATE app)
  set_target_properties(${name} PROPERTIES RUNTIME_OUTPUT_DIRECTORY "${CMAKE_BINARY_DIR}")
  install(TARGETS ${name})
endfunction()

# A process of a benchmark that scripts start, as bench/<name>.cpp; it may use what tests use.
function(al_bench_process name)
  add_executable(${name}_bench "${CMAKE_SOURCE_DIR}/bench/${name}.cpp")
  al_common(${name}_bench pch)
  target_link_libraries(${name}_bench PRIVATE app testing)
  set_target_properties(${name}_bench PROPERTIES RUNTIME_OUTPUT_DIRECTORY "${CMAKE_BINARY_DIR}")
endfunction()

# tests/<folder>/*_test.cpp becomes <folder>_test, linked to everything.
function(al_cross_cutting_tests)
  file(GLOB directories CONFIGURE_DEPENDS LIST_DIRECTORIES true "${CMAKE_SOURCE_DIR}/tests/*")
  foreach(directory ${directories})
    file(GLOB sources CONFIGURE_DEPENDS "${directory}/*.cpp")
    if(sources)
      get_filename_component(name "${directory}" NAME)
      if(name STREQUAL "build")
        al_test_program(build_test SOURCES ${sources})
      else()
        al_test_program(${name}_test SOURCES ${sources} LINKS app TOGETHER)
      endif()
    endif()
  endforeach()
  if(TARGET build_test)
    file(GLOB files CONFIGURE_DEPENDS "${CMAKE_SOURCE_DIR}/tests/build/embed/*")
    al_embed(build_test embed_samples ${files})
    al_embed(build_test embed_nothing)
    al_embed_folder(build_test embed_packed "${CMAKE_SOURCE_DIR}/tests/build/packed"
        "${CMAKE_SOURCE_DIR}/tests/build/packed/below/text.txt")
  endif()
endfunction()

function(al_script_tests)
  add_test(NAME tidy COMMAND Python3::Interpreter "${CMAKE_SOURCE_DIR}/scripts/tidy.py")
  add_test(NAME tidy_self_test COMMAND Python3::Interpreter "${CMAKE_SOURCE_DIR}/scripts/tidy.py" --self-test)
  add_test(NAME python_tests_self_test COMMAND Python3::Interpreter "${CMAKE_SOURCE_DIR}/scripts/python_tests.py"
                                               --self-test)
  set_tests_properties(tidy tidy_self_test python_tests_self_test PROPERTIES TIMEOUT ${AL_TEST_TIMEOUT_S})
endfunction()
