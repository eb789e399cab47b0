// SPDX-License-Identifier: Apache-2.0
// Small images for decode_test.cpp, in base64, written by Pillow 13.0.0 (libjpeg-turbo 3.2.0, libwebp 1.6.0) with the
// pixels that each comment says.
#pragma once

#include <string>
#include <string_view>

namespace imago::image::testing {

// clang-format off
/// 6 x 4: quarters red, green, blue, white; the pixel at the top left black.
inline constexpr std::string_view kPngRgb =
    "iVBORw0KGgoAAAANSUhEUgAAAAYAAAAECAIAAAAiZtkUAAAAJUlEQVR4nGNkYGD4z8DAwMDACKEYGJhgDARghCli+A9XhaGIAQAb"
    "jAYC1SQ8BQAAAABJRU5ErkJggg==";

/// The same, palette of 8.
inline constexpr std::string_view kPngPalette =
    "iVBORw0KGgoAAAANSUhEUgAAAAYAAAAEBAMAAABfKlNwAAAAD1BMVEX///8A/wD/AAAAAP8AAADcSvPgAAAAGElEQVR4nGN0uv+B"
    "6QEDA5Mg/3smBgYGACusBAiApv99AAAAAElFTkSuQmCC";

/// The same in gray: 76, 150, 29, 255, 0.
inline constexpr std::string_view kPngGray =
    "iVBORw0KGgoAAAANSUhEUgAAAAYAAAAECAAAAACIbxGfAAAAH0lEQVR4nAXBAREAAAQEsL0eCjn9A0hiizXUgjRHAQ8fYwHoH+NP"
    "GQAAAABJRU5ErkJggg==";

/// 6 x 4, 16-bit gray: pixel i is 2800 * i.
inline constexpr std::string_view kPngGray16 =
    "iVBORw0KGgoAAAANSUhEUgAAAAYAAAAEEAAAAADY/83cAAAAIElEQVR4nGNkYOD6wA2FjI4LuOEcFic4h+sD45EHCBkAKzQXCe47"
    "vjMAAAAASUVORK5CYII=";

/// kPngRgb with alpha 0, 51, 102, 153, 204, 255 from left to right.
inline constexpr std::string_view kPngAlpha =
    "iVBORw0KGgoAAAANSUhEUgAAAAYAAAAECAYAAACtBE5DAAAALElEQVR4nHXLoRUAIAzE0N8+Nur+sxVRAQLORCQX0BQqeojK9t4K"
    "R91Rfg42qEgGBie1GqoAAAAASUVORK5CYII=";

/// kPngRgb as lossless WebP.
inline constexpr std::string_view kWebpLossless =
    "UklGRjoAAABXRUJQVlA4TC0AAAAvBcAAACcgEEjaH3qN+RcQFPk/2vwHsqVsUAgADRtlSKEEaiN4Ef0Piy1iHvMA";

/// kPngAlpha as lossless WebP.
inline constexpr std::string_view kWebpAlpha =
    "UklGRkgAAABXRUJQVlA4TDwAAAAvBcAAEGcgEEjaH3oNAUGR/6MJCIr8H00gkOTvNtMBzDl7SEFeSkMOCDJMrG4QVArZZNCijOh/"
    "zNw0agQ=";

/// An animation that begins with kPngRgb.
inline constexpr std::string_view kWebpAnimated =
    "UklGRr4AAABXRUJQVlA4WAoAAAACAAAABQAAAwAAQU5JTQYAAAAAAAAAAABBTk1GRgAAAAAAAAAAAAUAAAMAAGQAAAJWUDhMLQAA"
    "AC8FwAAAJyAQSNofeo35FxAU+T/a/AeypWxQCAANG2VIoQRqI3gR/Q+LLWIe8wBBTk1GRAAAAAAAAAAAAAUAAAMAAGQAAABWUDhM"
    "LAAAAC8FwAAAJyAQSNofeo35FxAU+T/a/AduZWFQEIAMm2RL8ApQQUT/4+WR00gD";

/// kPngRgb enlarged eightfold, lossy WebP.
inline constexpr std::string_view kWebpLossy =
    "UklGRoIAAABXRUJQVlA4IHYAAABQBQCdASowACAAPikOhUKhh1QGAKEswGMAfoAfm0bfAPwA/Yr+n8gF2A/W7O+w5DHJDgIA/vxJ"
    "+Ef//WT///WEH7qOhPkLf3gqn8b9ZVZ/+1nt///3iejNUN/zF3XfV2mVdoUDI5e/ujns9b2G0WIA1PgpgAAA";

/// kPngRgb as GIF.
inline constexpr std::string_view kGif =
    "R0lGODdhBgAEAIIAAP///wD/AP8AAAAA/wAAAAAAAAAAAAAAACwAAAAABgAEAAAIFQAJCBAQoOBAggUHKATAUOEAhgACAgA7";

/// An animation that begins with kPngRgb.
inline constexpr std::string_view kGifAnimated =
    "R0lGODlhBgAEAIIAAP///wD/AP8AAAAA/wAAAAAAAAAAAAAAACH5BAAKAAAALAAAAAAGAAQAAAgVAAkIEBCg4ECCBQcoBMBQ4QCG"
    "AAICACH5BAEKAAUALAAAAAAGAAQAgv//////AAD///8A/wAAAAAAAAAAAAAAAAgVAAEIEDCg4ECCBQMoJMBQYQCGBAICADs=";

/// kGif with the black pixel transparent.
inline constexpr std::string_view kGifTransparent =
    "R0lGODlhBgAEAIIAAP///wD/AP8AAAAA/wAAAAAAAAAAAAAAACH5BAEAAAQALAAAAAAGAAQAAAgVAAkIEBCg4ECCBQcoBMBQ4QCG"
    "AAICADs=";

/// 5 x 12 gray, interlaced: pixel i is i.
inline constexpr std::string_view kGifInterlaced =
    "R0lGODdhBQAMAIUAAAAAAAEBAQICAgMDAwQEBAUFBQYGBgcHBwgICAkJCQoKCgsLCwwMDA0NDQ4ODg8PDxAQEBERERISEhMTExQU"
    "FBUVFRYWFhcXFxgYGBkZGRoaGhsbGxwcHB0dHR4eHh8fHyAgICEhISIiIiMjIyQkJCUlJSYmJicnJygoKCkpKSoqKisrKywsLC0t"
    "LS4uLi8vLzAwMDExMTIyMjMzMzQ0NDU1NTY2Njc3Nzg4ODk5OTo6Ojs7OwAAAAAAAAAAAAAAACwAAAAABQAMAAAIRgABBBAwgEAB"
    "AwcQJFCwgEEDBw8gRJAwgUIFCxcwZNCwgUMHDx9AhBAxgkQJEydQpFCxgkULFy9gxJAxg0YNGzdw5NCxIyAAOw==";

/// kPngRgb as BMP of 24 bits.
inline constexpr std::string_view kBmp24 =
    "Qk2GAAAAAAAAADYAAAAoAAAABgAAAAQAAAABABgAAAAAAFAAAADEDgAAxA4AAAAAAAAAAAAA/wAA/wAA/wAA////////////AAD/"
    "AAD/AAD/AAD///////////8AAAAA/wAA/wAA/wD/AAD/AAD/AAAAAAAAAAD/AAD/AP8AAP8AAP8AAAA=";

/// kPngRgb as BMP of 8 bits.
inline constexpr std::string_view kBmp8 =
    "Qk1qAAAAAAAAAEoAAAAoAAAABgAAAAQAAAABAAgAAAAAACAAAADEDgAAxA4AAAUAAAAFAAAA////AAD/AAAAAP8A/wAAAAAAAAAD"
    "AwMAAAAAAAMDAwAAAAAAAgICAQEBAAAEAgIBAQEAAA==";

/// 6 x 4 BMP of 1 bit: white where kPngGray is above 100.
inline constexpr std::string_view kBmp1 =
    "Qk1OAAAAAAAAAD4AAAAoAAAABgAAAAQAAAABAAEAAAAAABAAAADEDgAAxA4AAAIAAAACAAAAAAAAAP///wAcAAAAHAAAABwAAAAc"
    "AAAA";

/// kPngRgb enlarged eightfold to 48 x 32.
inline constexpr std::string_view kJpegRgb =
    "/9j/4AAQSkZJRgABAQAAAQABAAD/2wBDAAIBAQEBAQIBAQECAgICAgQDAgICAgUEBAMEBgUGBgYFBgYGBwkIBgcJBwYGCAsICQoK"
    "CgoKBggLDAsKDAkKCgr/2wBDAQICAgICAgUDAwUKBwYHCgoKCgoKCgoKCgoKCgoKCgoKCgoKCgoKCgoKCgoKCgoKCgoKCgoKCgoK"
    "CgoKCgoKCgr/wAARCAAgADADAREAAhEBAxEB/8QAHwAAAQUBAQEBAQEAAAAAAAAAAAECAwQFBgcICQoL/8QAtRAAAgEDAwIEAwUF"
    "BAQAAAF9AQIDAAQRBRIhMUEGE1FhByJxFDKBkaEII0KxwRVS0fAkM2JyggkKFhcYGRolJicoKSo0NTY3ODk6Q0RFRkdISUpTVFVW"
    "V1hZWmNkZWZnaGlqc3R1dnd4eXqDhIWGh4iJipKTlJWWl5iZmqKjpKWmp6ipqrKztLW2t7i5usLDxMXGx8jJytLT1NXW19jZ2uHi"
    "4+Tl5ufo6erx8vP09fb3+Pn6/8QAHwEAAwEBAQEBAQEBAQAAAAAAAAECAwQFBgcICQoL/8QAtREAAgECBAQDBAcFBAQAAQJ3AAEC"
    "AxEEBSExBhJBUQdhcRMiMoEIFEKRobHBCSMzUvAVYnLRChYkNOEl8RcYGRomJygpKjU2Nzg5OkNERUZHSElKU1RVVldYWVpjZGVm"
    "Z2hpanN0dXZ3eHl6goOEhYaHiImKkpOUlZaXmJmaoqOkpaanqKmqsrO0tba3uLm6wsPExcbHyMnK0tPU1dbX2Nna4uPk5ebn6Onq"
    "8vP09fb3+Pn6/9oADAMBAAIRAxEAPwD+f+gD9MK/lM/38CgD9KK/ls/4VwoAKAPzXr+pD/uoCgAoA/Siv5bP+FcKACgD8G6/7TD/"
    "AFYCgAoA/uIr/AM/VAoAKAP4d6/38PysKACgD+4iv8Az9UCgAoA//9k=";

/// The same, progressive.
inline constexpr std::string_view kJpegProgressive =
    "/9j/4AAQSkZJRgABAQAAAQABAAD/2wBDAAIBAQEBAQIBAQECAgICAgQDAgICAgUEBAMEBgUGBgYFBgYGBwkIBgcJBwYGCAsICQoK"
    "CgoKBggLDAsKDAkKCgr/2wBDAQICAgICAgUDAwUKBwYHCgoKCgoKCgoKCgoKCgoKCgoKCgoKCgoKCgoKCgoKCgoKCgoKCgoKCgoK"
    "CgoKCgoKCgr/wgARCAAgADADAREAAhEBAxEB/8QAFgABAQEAAAAAAAAAAAAAAAAAAAgJ/8QAGAEBAAMBAAAAAAAAAAAAAAAAAAcI"
    "CQb/2gAMAwEAAhADEAAAAc/ymIpv8KUi3CsCa5S3UApSLcKwIN2mtYBuJQHqgMO7/cqBuJQHqgP/xAAUEAEAAAAAAAAAAAAAAAAA"
    "AABA/9oACAEBAAEFAkf/xAAUEQEAAAAAAAAAAAAAAAAAAABA/9oACAEDAQE/AUf/xAAUEQEAAAAAAAAAAAAAAAAAAABA/9oACAEC"
    "AQE/AUf/xAAUEAEAAAAAAAAAAAAAAAAAAABA/9oACAEBAAY/Akf/xAAUEAEAAAAAAAAAAAAAAAAAAABA/9oACAEBAAE/IUf/2gAM"
    "AwEAAgADAAAAEAAAAAAAAAAAAP/EABQRAQAAAAAAAAAAAAAAAAAAAED/2gAIAQMBAT8QR//EABQRAQAAAAAAAAAAAAAAAAAAAED/"
    "2gAIAQIBAT8QR//EABQQAQAAAAAAAAAAAAAAAAAAAED/2gAIAQEAAT8QR//Z";

/// The same, gray.
inline constexpr std::string_view kJpegGray =
    "/9j/4AAQSkZJRgABAQAAAQABAAD/2wBDAAIBAQEBAQIBAQECAgICAgQDAgICAgUEBAMEBgUGBgYFBgYGBwkIBgcJBwYGCAsICQoK"
    "CgoKBggLDAsKDAkKCgr/wAALCAAgADABAREA/8QAHwAAAQUBAQEBAQEAAAAAAAAAAAECAwQFBgcICQoL/8QAtRAAAgEDAwIEAwUF"
    "BAQAAAF9AQIDAAQRBRIhMUEGE1FhByJxFDKBkaEII0KxwRVS0fAkM2JyggkKFhcYGRolJicoKSo0NTY3ODk6Q0RFRkdISUpTVFVW"
    "V1hZWmNkZWZnaGlqc3R1dnd4eXqDhIWGh4iJipKTlJWWl5iZmqKjpKWmp6ipqrKztLW2t7i5usLDxMXGx8jJytLT1NXW19jZ2uHi"
    "4+Tl5ufo6erx8vP09fb3+Pn6/9oACAEBAAA/AP5/6/TCiv0ooor816KK/Siiivwboor+4iiiv4d6KK/uIoor/9k=";

/// The same, CMYK with the Adobe marker (stored inverted).
inline constexpr std::string_view kJpegCmyk =
    "/9j/7gAOQWRvYmUAZAAAAAAA/9sAQwACAQEBAQECAQEBAgICAgIEAwICAgIFBAQDBAYFBgYGBQYGBgcJCAYHCQcGBggLCAkKCgoK"
    "CgYICwwLCgwJCgoK/8AAFAgAIAAwBEMRAE0RAFkRAEsRAP/EAB8AAAEFAQEBAQEBAAAAAAAAAAABAgMEBQYHCAkKC//EALUQAAIB"
    "AwMCBAMFBQQEAAABfQECAwAEEQUSITFBBhNRYQcicRQygZGhCCNCscEVUtHwJDNicoIJChYXGBkaJSYnKCkqNDU2Nzg5OkNERUZH"
    "SElKU1RVVldYWVpjZGVmZ2hpanN0dXZ3eHl6g4SFhoeIiYqSk5SVlpeYmZqio6Slpqeoqaqys7S1tre4ubrCw8TFxsfIycrS09TV"
    "1tfY2drh4uPk5ebn6Onq8fLz9PX29/j5+v/aAA4EQwBNAFkASwAAPwD+f+v5/wCv5/6/fyv7/KKKKKKKK/gDr+/yiiiiiiiiiiv7"
    "/K/gDoooooooooor+AOv7/KKKKKKKKKKKK/gDr+/yiiiiiiiiiv7/K/v8oooooooooor+AOv4A6KKKKKKKKKK/v8r+/yiiiiiiii"
    "iiv/2Q==";

/// A header that says 20000 x 20000 RGB (written by hand).
inline constexpr std::string_view kPngBomb =
    "iVBORw0KGgoAAAANSUhEUgAATiAAAE4gCAIAAABsEtFuAAAADElEQVR4nGNgoD0AAABkAAGGZDw1AAAAAElFTkSuQmCC";
// clang-format on

inline std::string decode_base64(std::string_view text) {
  constexpr std::string_view kDigits = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
  std::string bytes;
  unsigned bits = 0;
  int count = 0;
  for (const char digit : text) {
    if (digit == '=') break;
    bits = bits << 6 | static_cast<unsigned>(kDigits.find(digit));
    count += 6;
    if (count < 8) continue;
    count -= 8;
    bytes += static_cast<char>(bits >> count & 0xFFU);
  }
  return bytes;
}

}  // namespace imago::image::testing
