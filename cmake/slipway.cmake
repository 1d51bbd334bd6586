# One folder is one library: every .cpp below the calling folder (its own sub-libraries excepted)
# is compiled into `slipway_<NAME>`, and the link graph says what it may include.
#
#   slipway_library(NAME core_base PUBLIC ... PRIVATE ... [SUBFOLDERS a b])
#   slipway_test(NAME core_base LINK ...)   every *_test.cpp of the calling folder, one ctest executable

function(slipway_warnings target)
  target_compile_options(${target} PRIVATE -Wall -Wextra -Wpedantic -Wshadow -Wconversion -Werror
    -Wno-missing-field-initializers)  # leaving members at their defaults is what designators are for
  # Clang checks the locks too; its -Wconversion takes in signs, which g++'s leaves out.
  target_compile_options(${target} PRIVATE
    $<$<CXX_COMPILER_ID:Clang>:-Wthread-safety;-Wno-sign-conversion>)
endfunction()

function(slipway_library)
  cmake_parse_arguments(ARG "" "NAME" "PUBLIC;PRIVATE;SUBFOLDERS" ${ARGN})
  file(GLOB sources CONFIGURE_DEPENDS ${CMAKE_CURRENT_SOURCE_DIR}/*.cpp)
  foreach(sub IN LISTS ARG_SUBFOLDERS)
    file(GLOB_RECURSE more CONFIGURE_DEPENDS ${CMAKE_CURRENT_SOURCE_DIR}/${sub}/*.cpp)
    list(APPEND sources ${more})
  endforeach()
  add_library(slipway_${ARG_NAME} STATIC ${sources})
  target_include_directories(slipway_${ARG_NAME} PUBLIC ${PROJECT_SOURCE_DIR})
  target_link_libraries(slipway_${ARG_NAME} PUBLIC ${ARG_PUBLIC} PRIVATE ${ARG_PRIVATE})
  slipway_warnings(slipway_${ARG_NAME})
endfunction()

function(slipway_test)
  cmake_parse_arguments(ARG "" "NAME;TIMEOUT" "LINK;SUBFOLDERS" ${ARGN})
  if(NOT ARG_TIMEOUT)
    set(ARG_TIMEOUT 120)
  endif()
  file(GLOB sources CONFIGURE_DEPENDS ${CMAKE_CURRENT_SOURCE_DIR}/*.cpp)
  add_executable(${ARG_NAME}_test ${sources})
  target_link_libraries(${ARG_NAME}_test PRIVATE ${ARG_LINK} GTest::gmock_main)
  slipway_warnings(${ARG_NAME}_test)
  add_test(NAME ${ARG_NAME} COMMAND ${ARG_NAME}_test)
  set_tests_properties(${ARG_NAME} PROPERTIES TIMEOUT ${ARG_TIMEOUT})
endfunction()

# Tells these files, and no others, where the checkout is: what names a path is compiled anew in each one.
function(slipway_source_dir)
  set_property(SOURCE ${ARGN} APPEND PROPERTY COMPILE_DEFINITIONS
    SLIPWAY_SOURCE_DIR="${PROJECT_SOURCE_DIR}")
endfunction()
