#pragma once
// libvirt's C API as C++: owned handles, owned strings, and a failing call as an exception, which
// the client catches in one place (client.cpp) and makes a BackendError of.
#include <libvirt/libvirt.h>
#include <libvirt/virterror.h>

#include <cstdlib>
#include <memory>
#include <string>
#include <type_traits>

#include "workers/backends/backend.hpp"

namespace slipway::workers::libvirt {

template <auto Function>
struct FreeBy {
  template <class T>
  void operator()(T* handle) const {
    Function(handle);
  }
};
template <class Ptr, auto Function>
using Handle = std::unique_ptr<std::remove_pointer_t<Ptr>, FreeBy<Function>>;

using Domain = Handle<virDomainPtr, virDomainFree>;
using DomainSnapshot = Handle<virDomainSnapshotPtr, virDomainSnapshotFree>;
using Pool = Handle<virStoragePoolPtr, virStoragePoolFree>;
using Volume = Handle<virStorageVolPtr, virStorageVolFree>;
using Network = Handle<virNetworkPtr, virNetworkFree>;
using Stream = Handle<virStreamPtr, virStreamFree>;
// Shared by all calls that use it: the last one closes it, not whoever saw that it is dead.
using Connection = std::shared_ptr<virConnect>;

// What ends a call: thrown by this folder's code, caught in the client.
struct CallFailed {
  BackendError error;
};

// Of the library's last error on this thread. `doing`: "start the VM".
[[noreturn]] void fail_call(const char* doing);
[[noreturn]] void refuse(base::Errc code, std::string detail);

// The code of this thread's last error; 0 if it has none.
int last_error();

// For functions that answer a negative number on failure.
inline int checked(int result, const char* doing) {
  if (result < 0) fail_call(doing);
  return result;
}
template <class H, class Ptr>
H owned(Ptr handle, const char* doing) {
  if (handle == nullptr) fail_call(doing);
  return H(handle);
}
// Null where it is not there, which `absent` (a virErrorNumber) says.
template <class H, class Ptr>
H owned_or_absent(Ptr handle, int absent, const char* doing) {
  if (handle == nullptr && last_error() != absent) fail_call(doing);
  return H(handle);
}
inline std::string text_of(char* text, const char* doing) {
  if (text == nullptr) fail_call(doing);
  std::string copy(text);
  std::free(text);  // NOLINT: malloc'd by the library
  return copy;
}

}  // namespace slipway::workers::libvirt
