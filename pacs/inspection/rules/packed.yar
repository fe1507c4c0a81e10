rule packed_program {
  meta:
    code = "executable-content"
    place = "anywhere"
    text = "what a packer of programs leaves behind"
  strings:
    // Names of sections, eight bytes each, at the distance of the table of sections.
    $upx = { 55 50 58 30 00 00 00 00 [32] 55 50 58 31 00 00 00 00 }
    $upxText = /This file is packed with[ ]the UPX executable packer/
    $upxMark = { 55 50 58 21 0D ( 0C | 0D | 0E | 16 | 17 | 18 | 1E | 1F ) ( 08 | 09 | 02 | 03 | 05 | 07 ) ( 01 | 02 | 03 | 04 | 05 | 06 | 07 | 08 | 09 | 0A ) }
    $mpress = { 2E 4D 50 52 45 53 53 31 [32] 2E 4D 50 52 45 53 53 32 }
    $themida = { 2E 74 68 65 6D 69 64 61 [36] ( 20 | 40 | 60 | E0 ) }
    $protect = { 2E 76 6D 70 30 00 00 00 [32] 2E 76 6D 70 31 00 00 00 }
    $aspack = { 2E 61 73 70 61 63 6B 00 [32] 2E 61 64 61 74 61 00 00 }
    $compact = "PECompact2\x00"
    $pyinstaller = { 4D 45 49 0C 0B 0A 0B 0E }
    $autoit = /AU3![E]A06/
    $go = "\xff Go buildinf:"
  condition:
    any of them
}

rule installer {
  meta:
    code = "executable-content"
    place = "anywhere"
    text = "an installer or an archive that unpacks itself"
  strings:
    $nullsoft = "\xef\xbe\xad\xdeNullsoftInst"
    $inno = /Inno Setup Setup Data \([1-9]\./
    $seven = /;!@Install[@]!UTF-8!/
    $rar = /WinRAR[ ]SFX/ ascii wide
    $appimage = { 7F 45 4C 46 ( 01 | 02 ) 01 01 ( 00 | 03 ) 41 49 ( 01 | 02 ) }
    $debian = "!<arch>\ndebian-binary"
    $rpm = { ED AB EE DB ( 03 | 04 ) ( 00 | 01 ) 00 ( 00 | 01 ) 00 }
  condition:
    any of them
}
