# Compiles <source>, which a command writes, into <target>. Who includes the header with PRIVATE is <target> alone; with
# PUBLIC all that use it, whose compiler's command it becomes a part of.
function(al_add_embedded target visibility symbol source header directory)
  target_sources(${target} PRIVATE "${source}" "${header}")
  add_custom_target(${target}_${symbol}_generated DEPENDS "${source}" "${header}")
  add_dependencies(al_generated ${target}_${symbol}_generated)
  set_source_files_properties("${source}" PROPERTIES SKIP_PRECOMPILE_HEADERS ON)
  target_include_directories(${target} ${visibility} "${directory}")
endfunction()

# al_embed(<target> <symbol> <files...>)
# Puts the files into <target>, as al::embedded::<symbol>(), sorted by name. Include "embedded/<symbol>.hpp".
# The generator runs again when a file, the list of files or the script changes.
# `al_generated` builds all generated sources and nothing else.
add_custom_target(al_generated)

function(al_embed target symbol)
  get_target_property(type ${target} TYPE)
  if(type STREQUAL "INTERFACE_LIBRARY")
    return()
  endif()
  set(directory "${CMAKE_BINARY_DIR}/generated/${target}")
  set(list "${directory}/${symbol}.list")
  set(source "${directory}/embedded/${symbol}.cpp")
  set(header "${directory}/embedded/${symbol}.hpp")

  list(JOIN ARGN "\n" lines)
  file(CONFIGURE OUTPUT "${list}" CONTENT "${lines}\n" @ONLY)
  add_custom_command(
      OUTPUT "${source}" "${header}"
      COMMAND Python3::Interpreter "${CMAKE_SOURCE_DIR}/scripts/embed.py"
              --symbol "${symbol}" --list "${list}" --source "${source}" --header "${header}"
      DEPENDS "${CMAKE_SOURCE_DIR}/scripts/embed.py" "${list}" ${ARGN}
      COMMENT "Embedding ${symbol}"
      VERBATIM)
  al_add_embedded(${target} PUBLIC ${symbol} "${source}" "${header}" "${directory}")
endfunction()

# al_embed_folder(<target> <symbol> <folder> <dependency>)
# The same of all files below a folder, packed with gzip and named by their paths in it. They are there, and anew, when
# <dependency> is.
function(al_embed_folder target symbol folder dependency)
  get_target_property(type ${target} TYPE)
  if(type STREQUAL "INTERFACE_LIBRARY")
    return()
  endif()
  set(directory "${CMAKE_BINARY_DIR}/generated/${target}")
  set(source "${directory}/embedded/${symbol}.cpp")
  set(header "${directory}/embedded/${symbol}.hpp")
  add_custom_command(
      OUTPUT "${source}" "${header}"
      COMMAND Python3::Interpreter "${CMAKE_SOURCE_DIR}/scripts/embed.py"
              --symbol "${symbol}" --folder "${folder}" --source "${source}" --header "${header}"
      DEPENDS "${CMAKE_SOURCE_DIR}/scripts/embed.py" "${dependency}"
      COMMENT "Embedding ${symbol}"
      VERBATIM)
  al_add_embedded(${target} PRIVATE ${symbol} "${source}" "${header}" "${directory}")
endfunction()
