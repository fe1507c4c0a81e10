rule windows_executable {
  meta:
    code = "executable-content"
    place = "anywhere"
    text = "the header of a Windows program (PE)"
  strings:
    // Signature, machine, up to 255 sections, size of the optional header, and its magic: what a loader checks.
    // The size may be larger than any writer makes it.
    $header = { 50 45 00 00 ( 4C 01 | 64 86 | 64 AA | C0 01 | C2 01 | C4 01 | 41 A6 | 4E A6 | BC 0E ) ?? 00 [12] ?? ?? [2] ( 0B 01 | 0B 02 ) }
    $stub = /This program cannot be[ ]run in DOS mode/
    $borland = /This program must be[ ]run under Win(32|64)/
  condition:
    any of them
}

rule linux_executable {
  meta:
    code = "executable-content"
    place = "anywhere"
    text = "the header of a Linux program (ELF)"
  strings:
    // Class, byte order, version, then the type of the file, the machine, and the version once more.
    $little = { 7F 45 4C 46 ( 01 | 02 ) 01 ?? ?? [8] ( 01 | 02 | 03 | 04 ) 00 ?? ( 00 | 01 ) 01 00 00 00 }
    $big = { 7F 45 4C 46 ( 01 | 02 ) 02 ?? ?? [8] 00 ( 01 | 02 | 03 | 04 ) ( 00 | 01 ) ?? 00 00 00 01 }
    // All that Linux itself looks at: the kind, the machine, the size of a program header.
    $loaded64 = { 7F 45 4C 46 [12] ( 02 | 03 ) 00 ( 08 | 15 | 32 | 3E | B7 | F3 ) 00 [34] 38 00 }
    $loaded32 = { 7F 45 4C 46 [12] ( 02 | 03 ) 00 ( 03 | 06 | 08 | 14 | 28 | F3 ) 00 [22] 20 00 }
    $loadedLoongArch = { 7F 45 4C 46 [12] ( 02 | 03 ) 00 02 01 [34] 38 00 }
    $loadedBig64 = { 7F 45 4C 46 [12] 00 ( 02 | 03 ) 00 ( 08 | 15 | 16 | 2B ) [34] 00 38 }
    $loadedBig32 = { 7F 45 4C 46 [12] 00 ( 02 | 03 ) 00 ( 02 | 04 | 08 | 14 | 16 | 28 ) [22] 00 20 }
    // Machines without memory management.
    $flat = { 62 46 4C 54 00 00 00 04 }
  condition:
    any of them
}

rule macos_executable {
  meta:
    code = "executable-content"
    place = "anywhere"
    text = "the header of a macOS program (Mach-O)"
  strings:
    // Magic, processor, its kind, type of the file; of a universal one the count of programs and the first one's processor.
    $little = { ( CE | CF ) FA ED FE ( 07 | 0C | 12 ) 00 00 ( 00 | 01 | 02 ) [4] ( 01 | 02 | 06 | 07 | 08 | 09 | 0B ) 00 00 00 }
    $big = { FE ED FA ( CE | CF ) ( 00 | 01 | 02 ) 00 00 ( 07 | 0C | 12 ) [4] 00 00 00 ( 01 | 02 | 06 | 07 | 08 | 09 | 0B ) }
    $universal = { CA FE BA ( BE | BF ) 00 00 00 ( 01 | 02 | 03 | 04 | 05 ) ( 00 | 01 ) 00 00 ( 07 | 0C | 12 ) ?? 00 00 }
  condition:
    any of them
}

rule other_executable {
  meta:
    code = "executable-content"
    place = "anywhere"
    text = "the header of a Java class, an Android program or a WebAssembly module"
  strings:
    // Java 1.1 to 30; a universal Mach-O, which has the same magic, has fewer programs than these numbers.
    $java = { CA FE BA BE 00 ( 00 | 03 ) 00 ( 2D | 2E | 2F | 30 | 31 | 32 | 33 | 34 | 35 | 36 | 37 | 38 | 39 | 3A | 3B | 3C | 3D | 3E | 3F | 40 | 41 | 42 | 43 | 44 | 45 | 46 | 47 | 48 | 49 | 4A ) ( 00 | 01 | 02 | 03 ) }
    // Version 45 with any minor version, and what previews features; the first constant follows.
    $early = { CA FE BA BE ?? ?? 00 2D ?? ?? ( 01 | 03 | 04 | 05 | 06 | 07 | 08 | 09 | 0A | 0B | 0C ) }
    $preview = { CA FE BA BE FF FF 00 ( 38 | 39 | 3A | 3B | 3C | 3D | 3E | 3F | 40 | 41 | 42 | 43 | 44 | 45 | 46 | 47 | 48 | 49 | 4A ) }
    $dalvik = { 64 65 ( 78 | 79 ) 0A 30 ( 33 ( 35 | 36 | 37 | 38 | 39 ) | 34 ( 30 | 31 ) ) 00 }
    $wasm = { 00 61 73 6D 01 00 00 00 }
    $component = { 00 61 73 6D 0D 00 01 00 }
  condition:
    any of them
}

rule compiled_script {
  meta:
    code = "executable-content"
    place = "anywhere"
    text = "a compiled program of Python, Lua, Erlang, LLVM or AppleScript"
  strings:
    // The magic number of a version and the end of a line; flags, time and size, or a digest; an object of code without arguments.
    $python = { ( 0C | 0D | 0E | 0F ) 0D 0A ( 00 | 01 | 03 ) 00 00 00 [8] ( 63 | E3 ) 00 00 00 00 }
    $python3 = { ( 0B | 0C | 0D ) 0D 0A [8] ( 63 | E3 ) 00 00 00 00 }
    $python2 = { F3 0D 0A [4] 63 00 00 00 00 }
    $lua = { 1B 4C 75 61 ( 51 | 52 ) 00 ( 00 | 01 ) 04 ( 04 | 08 ) }
    $luaLater = { 1B 4C 75 61 ( 53 | 54 | 55 ) 00 19 93 0D 0A 1A 0A }
    $erlang = { 46 4F 52 31 [4] 42 45 41 4D }
    $llvm = { 42 43 C0 DE 35 14 00 00 }
    $apple = /FasdUAS[ ]1\./
  condition:
    any of them
}

rule program_as_text {
  meta:
    code = "executable-content"
    place = "anywhere"
    text = "a program written as text (base64 or hex digits), as wide characters or backwards"
  strings:
    $stub0 = /VGhpcyBwcm9ncmFtIGNh[b]m5vdCBiZSBydW4gaW4gRE9TIG1vZG/
    $stub1 = /RoaXMgcHJvZ3JhbSBjYW[5]ub3QgYmUgcnVuIGluIERPUyBtb2Rl/
    $stub2 = /UaGlzIHByb2dyYW0gY2F[u]bm90IGJlIHJ1biBpbiBET1MgbW9kZ/
    $wide = /This program cannot be[ ]run in DOS mode/ wide
    $backwards = /edom SOD ni nur eb[ ]tonnac margorp sihT/
    $start = /TV(qQAAMAAAAEAAAA|pQAAIAAAAEAA8A|oAAAAAAAAAAAAA)/
    $elf = /f0VMRg[EI](BAQ|BAA)AAAAAAAAAA/
    $hex = /4d5a90000300000004[0]00000ffff/ nocase
    $macho = /(z|Z)(vrt\/g|\/rt\/g)(cAAAE|wAAAE)[AD]AAAA/
  condition:
    any of them
}

rule machine_code {
  meta:
    code = "executable-content"
    place = "anywhere"
    text = "machine code as exploits carry it"
  strings:
    // Finding the libraries of a Windows process from the first instruction on, 32 and 64 bit.
    $block32 = { FC E8 ( 82 | 86 | 89 | 8F ) 00 00 00 60 ( 89 E5 31 | 31 ) }
    $block64 = { FC 48 83 E4 F0 E8 ( C0 | C8 | CC ) 00 00 00 41 51 41 50 52 }
    $walk32 = { 64 A1 30 00 00 00 8B 40 0C 8B ( 40 | 70 ) ( 14 | 1C ) }
    $walk64 = { 65 48 8B 04 25 60 00 00 00 48 8B 40 18 }
    // The path of a shell, pushed or loaded.
    $push = { 68 2F 2F 73 68 68 2F 62 69 6E 89 ( E3 | E7 ) }
    $load = { 48 ( B8 | B9 | BA | BB | BE | BF ) 2F 62 69 6E 2F ( 2F 73 68 | 73 68 00 ) ( 50 | 51 | 52 | 53 | 56 | 57 ) }
  condition:
    any of them
}
