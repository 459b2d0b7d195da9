-- Texts that are made compare by their code points, blanks at their end included.
SET NAMES utf8mb4 /*M! COLLATE utf8mb4_nopad_bin */ /*!80017 COLLATE utf8mb4_0900_bin */

SET time_zone = '+00:00'

-- A text that is no number is none, and ends no statement.
SET sql_mode = ''
